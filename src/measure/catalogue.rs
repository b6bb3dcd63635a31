//! Everything that is measured, with its formula. Names are stable: scenarios refer to them.
//!
//! Shares and rates are fractions: 0.01 is one per cent. Sums and maxima run over all steps,
//! whatever decimation the recorded series have. A metric without a value (a recovery that never
//! came, a share of nothing) stays in the list without a number.

use super::metric::{Definition, Direction, Group, Scope, Unit};

macro_rules! catalogue {
    ($($scope:ident $group:ident { $($id:ident $name:literal $unit:ident $direction:ident $label:literal: $text:literal)* })*) => {
        $($(
            #[doc = $text]
            pub static $id: Definition = Definition {
                name: $name,
                unit: Unit::$unit,
                direction: Direction::$direction,
                scope: Scope::$scope,
                group: Group::$group,
                label: $label,
                text: $text,
            };
        )*)*
        /// All metrics in the order of the summary.
        pub static DEFINITIONS: &[&Definition] = &[$($(&$id),*),*];
    };
}

catalogue! {
    Market Price {
        DRAWDOWN "drawdown" Share Lower "drawdown, mid":
            "Largest fall of the mid from its highest so far, the start price included: max of 1 − mid / running max."
        MARK_DRAWDOWN "mark_drawdown" Share Lower "drawdown, mark":
            "Largest fall of the mark from its highest so far, the start price included."
        RUN_UP "run_up" Share Lower "run-up, mid":
            "Largest rise of the mid from its lowest so far, the start price included: max of mid / running min − 1."
        REFERENCE_DRAWDOWN "reference_drawdown" Share Neutral "drawdown, reference":
            "Largest fall of the outside reference price from its highest so far: the part of the story that was given."
        OVERSHOOT_DOWN "overshoot_down" Share Lower "overshoot below":
            "How far the last trade fell below the reference: max of (reference − last) / reference, at least 0."
        OVERSHOOT_UP "overshoot_up" Share Lower "overshoot above":
            "How far the last trade rose above the reference: max of (last − reference) / reference, at least 0."
        RECOVERY_HALF_LIFE "recovery_half_life" Seconds Lower "recovery half-life":
            "Time from the trough of the largest drawdown of the mid until half of the fall is regained; none where it never is."
        VOLATILITY "volatility" Share Lower "volatility, annualised":
            "Realised volatility of the mid over a year of 365 days: √(Σ ln²(midₜ / midₜ₋₁) / T · year), T the length of the run."
    }
    Market Price {
        CORRELATION_CALM "correlation_calm" Share Neutral "correlation, calm":
            "Correlation of the mid's log returns with those of each other market, step by step, averaged; over the steps outside stress."
        CORRELATION_STRESS "correlation_stress" Share Neutral "correlation, in stress":
            "The same over the steps in stress (`stress_correlation`); none where there are none."
    }
    World Price {
        STRESSED_SHARE "stressed_share" Share Neutral "steps in stress":
            "Share of steps in which correlation is that of stress; none where the scenario has no such."
    }
    Market Liquidity {
        BID_DEPTH_TROUGH "bid_depth_trough" Share Higher "least bid depth":
            "Smallest bid quantity within 1 % of the mid, over that at the end of the first step."
        ASK_DEPTH_TROUGH "ask_depth_trough" Share Higher "least ask depth":
            "Smallest ask quantity within 1 % of the mid, over that at the end of the first step."
        SPREAD_PEAK "spread_peak" BasisPoints Lower "widest spread":
            "Largest (ask − bid) / mid · 10⁴ over the steps that end with a bid and an ask."
        TRADED_NOTIONAL "traded_notional" Currency Neutral "traded":
            "Quantity traded in each step at the step's last price, summed."
    }
    Market Liquidation {
        LIQUIDATED_NOTIONAL "liquidated_notional" Currency Lower "liquidated":
            "Value of everything that forced orders sold and bought."
        LIQUIDATED_LONGS "liquidated_long_notional" Currency Lower "of which longs":
            "Value of what forced orders sold: long positions liquidated."
        LIQUIDATED_SHORTS "liquidated_short_notional" Currency Lower "of which shorts":
            "Value of what forced orders bought: short positions liquidated."
        LIQUIDATED_SHARE "liquidated_share" Share Lower "over open interest":
            "Quantity sold and bought by force over open interest at the start (one side counted); above 1 is possible, for both sides can be liquidated."
        HEDGE_SHARE "hedge_share" Share Neutral "hedgers' share of volume":
            "Quantity sold and bought by cohorts that hedge over quantity traded."
        HEDGE_GAP "hedge_gap" Share Lower "hedge error":
            "How far hedgers of options are off: Σ |their options' delta and their position| over Σ |their options' delta|, over the steps; none where there are no options."
        VANNA_SHARE "vanna_share" Share Neutral "called for by volatility":
            "Change of hedgers' options' delta by changes of volatility, without sign and summed over the steps, over what hedgers sold and bought."
        VEGA_GAIN "vega_gain" Currency Neutral "gained by volatility":
            "What hedgers' options gained by changes of volatility: Σ vega · change."
        FORCED_SHARE "forced_share" Share Lower "forced share of volume":
            "Quantity sold and bought by force over quantity traded."
    }
    Market Spiral {
        HEDGE_DOWN_1 "hedge_down_peak_1pct" Ratio Lower "hedgers' peak, 1 % down":
            "Largest share that hedgers would add to a move of 1 % down: what they would sell within it over the bids that must trade to make it; 0 where they would never sell."
        HEDGE_DOWN_5 "hedge_down_peak_5pct" Ratio Lower "hedgers' peak, 5 % down":
            "Largest share that hedgers would add to a move of 5 % down."
        HEDGE_UP_1 "hedge_up_peak_1pct" Ratio Lower "hedgers' peak, 1 % up":
            "Largest share that hedgers would add to a move of 1 % up: what they would buy within it over the asks that must trade to make it; 0 where they would never buy."
        HEDGE_UP_5 "hedge_up_peak_5pct" Ratio Lower "hedgers' peak, 5 % up":
            "Largest share that hedgers would add to a move of 5 % up."
        DOWN_PEAK_1 "reproduction_down_peak_1pct" Ratio Lower "peak, 1 % down":
            "Largest R for a move of 1 % down: quantity that would be sold by force within it over the bids that must trade to make it, both averaged over about a minute (at least five steps), so that a book that was just hit doesn't count as none; times without any depth are left out, `sold_out` tells them."
        DOWN_PEAK_2 "reproduction_down_peak_2pct" Ratio Lower "peak, 2 % down":
            "Largest R for a move of 2 % down, in the same way."
        DOWN_PEAK_5 "reproduction_down_peak_5pct" Ratio Lower "peak, 5 % down":
            "Largest R for a move of 5 % down, in the same way."
        UP_PEAK_1 "reproduction_up_peak_1pct" Ratio Lower "peak, 1 % up":
            "Largest R for a move of 1 % up: quantity that would be bought by force within it over the asks that must trade to make it, both averaged over about a minute (at least five steps); times without any depth are left out."
        UP_PEAK_2 "reproduction_up_peak_2pct" Ratio Lower "peak, 2 % up":
            "Largest R for a move of 2 % up, in the same way."
        UP_PEAK_5 "reproduction_up_peak_5pct" Ratio Lower "peak, 5 % up":
            "Largest R for a move of 5 % up, in the same way."
        DOWN_FIRST "reproduction_down_first_1pct" Seconds Neutral "R ≥ 1 first, 1 % down":
            "Time of the first step that ends with R ≥ 1 for a move of 1 % down; none where there is none."
        UP_FIRST "reproduction_up_first_1pct" Seconds Neutral "R ≥ 1 first, 1 % up":
            "Time of the first step that ends with R ≥ 1 for a move of 1 % up; none where there is none."
        DOWN_START_1 "reproduction_down_start_1pct" Ratio Neutral "at the start, 1 % down":
            "R for a move of 1 % down at the end of the first step: what could be known before anything happens."
        DOWN_START_2 "reproduction_down_start_2pct" Ratio Neutral "at the start, 2 % down":
            "R for a move of 2 % down at the end of the first step."
        DOWN_START_5 "reproduction_down_start_5pct" Ratio Neutral "at the start, 5 % down":
            "R for a move of 5 % down at the end of the first step."
        SOLD_OUT "sold_out" Seconds Lower "book sold out within 1 %":
            "Time in which the bids or the asks within 1 % of the mid were less than a hundredth of those of the first step: an instant's R says nothing then."
    }
    Market Margin {
        MAINTENANCE_MEAN "maintenance_mean" Share Neutral "maintenance, mean":
            "Maintenance rate of the smallest positions, averaged over the steps."
        MAINTENANCE_PEAK "maintenance_peak" Share Neutral "maintenance, highest":
            "Highest maintenance rate of the smallest positions."
        INITIAL_MEAN "initial_mean" Share Lower "initial, mean":
            "Initial rate of the smallest positions, averaged over the steps: capital locked per notional."
        LEVERAGE_OFFERED "leverage_offered" Ratio Higher "leverage offered":
            "1 / mean initial rate of the smallest positions."
        PEAK_TO_TROUGH "margin_peak_to_trough" Ratio Lower "peak to trough":
            "Highest maintenance rate of the smallest positions over the lowest."
        RISE_HOUR "margin_rise_1h" Share Lower "largest rise, 1 h":
            "Largest relative rise of the maintenance rate over an hour; none in a run no longer than that."
        RISE_DAY "margin_rise_1d" Share Lower "largest rise, 1 d":
            "Largest relative rise of the maintenance rate over a day; none in a run no longer than that."
        RISE_WEEK "margin_rise_5d" Share Lower "largest rise, 5 d":
            "Largest relative rise of the maintenance rate over five days; none in a run no longer than that."
    }
    World Liquidation {
        LIQUIDATIONS "liquidations" Count Lower "liquidations":
            "Liquidations begun; an account that recovers and falls again counts again."
        LIQUIDATED_ACCOUNTS "liquidated_accounts" Share Lower "accounts liquidated":
            "Traders' accounts in which liquidation began at least once, over all traders' accounts."
        LIQUIDATED_TOTAL "liquidated_notional_total" Currency Lower "liquidated, all markets":
            "Liquidated notional, summed over the markets."
        COLLATERAL_SOLD "collateral_sold" Currency Lower "collateral sold by force":
            "Value of what forced orders sold in markets of collateral; none where there is no such market."
        TRADED_TOTAL "traded_notional_total" Currency Neutral "traded, all markets":
            "Traded notional, summed over the markets."
    }
    World Margin {
        OPTION_MARGIN_START "option_margin_start" Currency Lower "asked with options, start":
            "Initial margin of all accounts with options but the desk's, for all that they hold, at the end of the first step."
        OPTION_MARGIN_MEAN "option_margin_mean" Currency Lower "asked with options, mean":
            "The same as it was at looks ten minutes apart, averaged over the steps: capital locked; none where there are no options."
    }
    World Loss {
        BAD_DEBT "bad_debt" Currency Lower "bad debt":
            "Deficits of bankrupt accounts, whoever bore them: the fund, the backstop, winners by auto-deleveraging or socialised loss, nobody."
        FUND_PAID "fund_paid" Currency Lower "paid by the fund":
            "What the insurance fund paid."
        FUND_RECEIVED "fund_received" Currency Neutral "received by the fund":
            "Liquidation fees and forfeited collateral that went to the insurance fund: what the liquidated paid it."
        FUND_DRAWDOWN "fund_drawdown" Currency Lower "fund drawdown":
            "Largest fall of the insurance fund's balance from its highest so far, the start included."
        FORCED_COST "forced_cost" Currency Lower "forced below the mark":
            "What forced orders traded worse than the mark: what the liquidated, or whoever stands in for them, lost to the book."
        BACKSTOP_PAID "backstop_paid" Currency Lower "borne by the backstop":
            "Deficits that the backstop, or reserves, took over along with positions, as far as its equity was enough for them."
        BACKSTOP_NOTIONAL "backstop_notional" Currency Lower "taken by the backstop":
            "Value of the positions that the backstop took over."
        BACKSTOP_EQUITY "backstop_equity" Currency Higher "backstop at the end":
            "Equity of the backstop at the end, at the mark; 0 where there is none."
        ADL_NOTIONAL "adl_notional" Currency Lower "auto-deleveraged":
            "Value closed by auto-deleveraging."
        ADL_DEFICIT "adl_deficit" Currency Lower "deficit borne by ADL":
            "Deficits that auto-deleveraging closed away: what its counterparties bore."
        ADL_COST "adl_cost" Currency Lower "cost of ADL to winners":
            "What closes by auto-deleveraging cost the winners against the mark; negative where they favoured them."
        ADL_OVERSHOOT "adl_overshoot" Currency Lower "ADL beyond need":
            "How much more than the deficits they closed away auto-deleveragings cost the winners, settlement by settlement."
        ADL_COUNT "adl_count" Count Lower "auto-deleveragings":
            "Closes of profitable positions by auto-deleveraging."
        SOCIALISED "socialised" Currency Lower "socialised":
            "Losses taken from winners."
        UNCOVERED "uncovered" Currency Lower "uncovered":
            "Deficits that nobody paid."
    }
    World Keepers {
        SEIZED "seized_notional" Currency Neutral "taken by keepers":
            "Value at the mark of the positions that keepers took over."
        KEEPER_BONUS "keeper_bonus" Currency Lower "below the mark":
            "How much less than that they paid: what the liquidated, or the reserves, gave them; negative where they paid more."
        KEEPER_PROFIT "keeper_profit" Currency Neutral "keepers' profit":
            "Equity of all keepers at the end, at the mark, less their capital: the bonus less slippage, price moves, fees and transactions."
        KEEPER_COST "keeper_cost" Currency Lower "paid for transactions":
            "What keepers paid for transactions, those in vain included."
        KEEPER_TRANSACTIONS "keeper_transactions" Count Neutral "transactions":
            "Transactions that keepers sent."
        KEEPER_REVERTED "keeper_transactions_in_vain" Count Lower "of which in vain":
            "Transactions that came too late or were no longer worth it."
        KEEPER_USED "keeper_capital_used" Share Lower "most capital used":
            "The most that keepers held and had promised at once, over their capital at the start."
        KEEPERS_FAILED "keepers_failed" Count Lower "keepers bankrupt":
            "Keepers whose equity fell below zero."
        AUCTIONS "auctions" Count Neutral "auctions":
            "Auctions begun."
        AUCTIONS_RESTARTED "auctions_restarted" Count Lower "begun anew":
            "Times that an auction was begun anew because nobody had taken it."
        AUCTIONS_OPEN "auctions_open" Count Lower "open at the end":
            "Auctions that still ran when the run ended."
        AUCTION_TIME "auction_time_mean" Seconds Lower "mean time to sale":
            "Mean time from the beginning of an auction to its last sale, over those that ended with one."
        ZERO_BID_SHARE "zero_bid_share" Share Lower "sold for nothing":
            "Auctions that raised less than a hundredth of what they sold, over those that ended with a sale."
        ZERO_BID_NOTIONAL "zero_bid_notional" Currency Lower "worth, sold for nothing":
            "Value at the mark of what auctions sold for less than a hundredth of it."
        ABSORBED "absorbed_notional" Currency Lower "absorbed by reserves":
            "Value at the mark of what the reserves took over."
        RESERVES "reserves" Currency Higher "reserves at the end":
            "Equity of the reserves at the end, at the mark; 0 where there are none."
        TOXIC_SHARE "toxic_debt_share" Share Lower "toxic debt at its peak":
            "The most debt at once, of accounts in liquidation, above 1 / (1 + bonus) of collateral, where a liquidation worsens what is left; over the debt of all traders at the start."
        UNSOLD_DEBT "unsold_debt" Currency Lower "debt not liquidated":
            "Debt of accounts in liquidation as the last step began: what nobody took, dust included."
    }
    World Calls {
        WARNINGS "warnings" Count Neutral "warnings":
            "Times that an account was warned."
        CALLS "calls" Count Neutral "margin calls":
            "Times that an account was called for margin."
        CURED_CALLS "cured_calls" Count Higher "calls cured":
            "Times that a called account came back below the call ratio; one whose liquidation ended is still called, so that there can be more of them than calls cured by trader and market."
        CURED_BY_TRADER "calls_cured_by_trader" Count Higher "cured by the trader":
            "Calls after which the account came back below the call ratio, the trader having paid in or holding less than at the call."
        CURED_BY_MARKET "calls_cured_by_market" Count Higher "cured by the market":
            "Calls after which the account came back below the call ratio without the trader's doing: the price came back, or the requirement fell."
        CALLS_LIQUIDATED "calls_liquidated" Count Lower "liquidated":
            "Calls after which liquidation began while the account's equity was not negative."
        CALLS_BANKRUPT "calls_bankrupt" Count Lower "bankrupt first":
            "Calls after which the account's equity was negative when its liquidation began, or when it had closed everything itself."
        CALLS_OPEN "calls_open" Count Neutral "open at the end":
            "Calls that were neither cured nor followed by liquidation when the run ended."
        LEAD_TIME_P5 "lead_time_p5" Seconds Higher "shortest 5 %":
            "5 % quantile of the time from warning to liquidation."
        LEAD_TIME_MEDIAN "lead_time_median" Seconds Higher "warning to liquidation":
            "Median time from an account's latest warning to the start of its liquidation, over the liquidations that a warning came before."
        LEAD_TIME_P95 "lead_time_p95" Seconds Higher "longest 5 %":
            "95 % quantile of the time from warning to liquidation."
        CALL_LEAD_P5 "call_lead_time_p5" Seconds Higher "shortest 5 %":
            "5 % quantile of the time from call to liquidation."
        CALL_LEAD_MEDIAN "call_lead_time_median" Seconds Higher "call to liquidation":
            "Median time from an account's call to the start of its liquidation, over the calls that ended so."
        CALL_LEAD_P95 "call_lead_time_p95" Seconds Higher "longest 5 %":
            "95 % quantile of the time from call to liquidation."
        CALL_PRECISION "call_precision" Share Higher "precision of calls":
            "Share of calls after which the account, left alone with what it held, would have fallen below its maintenance requirement within `measure.call_horizon` on the run's own path, over the calls for which the path is long enough to say."
        CALL_UNDECIDED "call_precision_undecided" Share Neutral "calls undecided":
            "Share of calls after which the run ended before `measure.call_horizon`; they count in no precision."
        CALL_RECALL "call_recall" Share Higher "recall of calls":
            "Share of liquidations that began at least `measure.notice` after the account's standing call."
        CALLED_OVER_EQUITY "called_over_equity" Share Lower "margin called over equity":
            "What calls asked for, Σ max(initial requirement − equity, 0), over the equity of those who were called, at the calls."
    }
    World Quality {
        PREMATURE_SHARE "premature_share" Share Lower "premature, own path":
            "Notional of the liquidations that were premature over the notional of those decided: the account, left alone with what it held on the run's own path of marks, funding and rates, would within `measure.horizon` have met its requirement again, and its equity never have fallen below zero."
        PREMATURE_COUNT "premature_liquidations" Count Lower "premature liquidations":
            "Liquidations that were premature on the run's own path."
        PREMATURE_UNDECIDED "premature_undecided" Share Neutral "undecided":
            "Notional of the liquidations after which the run ended before `measure.horizon`, over that of all; they count in no share."
        LATE_SHARE "late_share" Share Lower "late: left a deficit":
            "Notional of the liquidations that left a deficit, for the waterfall or for those they were deleveraged against, over the notional of those that ended; all notionals at the start of the liquidation."
        LATE_COUNT "late_liquidations" Count Lower "late liquidations":
            "Liquidations that left a deficit."
    }
    World Traders {
        TOPPED_UP "topped_up" Currency Neutral "topped up":
            "Money that traders paid in."
        MARGIN_MOVED "margin_moved" Currency Neutral "moved to isolated":
            "Margin that owners moved from their cross accounts to isolated ones."
        WITHDRAWN "withdrawn" Currency Neutral "withdrawn":
            "Money that traders took out."
        WITHDRAWALS_REFUSED "withdrawals_refused" Count Neutral "withdrawals refused":
            "Withdrawals refused because nothing was free beyond the initial requirement."
        ORDERS_WITHDRAWN "orders_withdrawn" Count Neutral "held to reducing":
            "Resting orders withdrawn because they would have made larger a position of an account below its initial requirement."
        STOPS "stops" Count Neutral "stops triggered":
            "Stop-losses triggered."
        REFUSED "refused_orders" Count Neutral "orders refused":
            "Orders refused for want of initial margin."
    }
    World Safety {
        HALTS "halts" Count Neutral "halts":
            "Times that a circuit breaker or a limit state halted a market."
        HALTED_TIME "halted_time" Seconds Lower "halted":
            "Time that markets were halted, by a fail-safe or a fault, summed over the markets."
        DEFERRED_STEPS "deferred_steps" Count Neutral "steps of deferred orders":
            "Steps in which a halt or the throttle kept forced orders back, counted in each market."
        PRINTS_REJECTED "prints_rejected" Count Neutral "prints held back":
            "Oracle prints that the guard held back."
        SUSPENDED_TIME "suspended_time" Seconds Lower "liquidation suspended":
            "Time that the oracle guard suspended liquidation, summed over the markets."
        ADL_PAUSES "adl_pauses" Count Neutral "ADL pauses":
            "Times that auto-deleveraging was paused after a burst."
        KILLED_AT "killed_at" Seconds Neutral "kill switch":
            "Time at which the kill switch stopped everything; none where it did not."
        FAULTS "faults" Count Neutral "faults":
            "Faults that began."
    }
    Market Warning {
        REALISED_MEAN "reproduction_realised" Ratio Lower "R̂ realised":
            "Quantity that liquidations brought about in their own market and direction, by the genealogy, over their own quantity: in windows of a minute, averaged by quantity."
        FORESEEN_MEAN "reproduction_foreseen" Ratio Lower "R foreseen, 1 %":
            "R for a move of 1 % in the direction of the liquidations: forced quantity over depth, both added up over each of the same windows; averaged by the same quantities, windows without any depth aside."
        REALISED_PEAK "reproduction_realised_peak" Ratio Lower "R̂ realised, peak":
            "Largest realised R̂ of a window."
        WARNINGS_GIVEN "early_warnings" Count Neutral "warnings R ≥ 1":
            "Times of R ≥ 1 for a move of 1 %, down or up; those less than `measure.call_horizon` apart are one."
        FALSE_ALARMS "false_alarms" Share Lower "false alarms":
            "Share of those warnings that no cascade of their direction (a tree of at least ten liquidations) followed, by `measure.call_horizon` after their end."
        CASCADES "cascades" Count Lower "cascades":
            "Trees of at least ten liquidations."
        CASCADES_WARNED "cascades_warned" Share Higher "cascades warned of":
            "Share of cascades that began during a warning of their direction or within `measure.call_horizon` after it."
        WARNING_LEAD "early_warning_lead" Seconds Higher "warning to cascade":
            "Median time from the beginning of a warning to that of the cascade, over the cascades warned of."
    }
    Market Design {
        CHI "critical_responsiveness" Ratio Higher "χ* at the start":
            "(1 − m)(1/R − 1) at the first step's R of 1 % down: points that maintenance may rise for a point of fall before the two carry each other; m the mean maintenance rate of the smallest positions. None where R is 0 (nothing to carry) or at least 1 (the fall carries itself without any response)."
        CHI_WORST "critical_responsiveness_worst" Ratio Higher "χ* at the highest R":
            "The same at the highest R of 1 %; none where that is 0 or at least 1."
        RECOVERY_NEEDED "recovery_needed" Share Lower "1 − η*, recovery a check":
            "Share of each hit that the book must have recovered by the next check of margin at the highest R of 1 %: 0 for R ≤ 1, 1 − 1/R up to 2, R/4 up to 4; none beyond, where no recovery is enough."
        CURES_NEEDED "cures_needed" Share Lower "calls to be cured":
            "1 − 1/R at the highest R of 1 %: share of the triggered notional that must be cured in time."
        CLOSABLE_START "closable_notional" Currency Higher "s* at the start":
            "Largest long position that the book could close from its liquidation price at the start without a deficit, at the maintenance rate of the smallest positions; infinite beyond the depth that is known."
        CLOSABLE_WORST "closable_notional_worst" Currency Higher "s* at the highest R":
            "The same with the book as it was at the highest R of 1 % over about a minute, at a moment with at least half of that minute's depth."
    }
    World Genealogy {
        BRANCHING "branching_ratio" Ratio Lower "branching ratio n̂":
            "Mean share of a liquidation that other liquidations caused, through prices: Σ edge weights / liquidations. The causes that follow and it add up to 1."
        BRANCHING_LOW "branching_ratio_low" Ratio Lower "n̂, low":
            "Lower end of its 95 % interval, births counted as Poisson."
        BRANCHING_HIGH "branching_ratio_high" Ratio Lower "n̂, high":
            "Upper end of its 95 % interval."
        CAUSE_REFERENCE "cause_reference" Share Neutral "outside price":
            "Mean share of a liquidation that the outside reference price caused: path and shocks."
        CAUSE_ORACLE "cause_oracle" Share Neutral "oracle":
            "Mean share that the oracle's noise and faults caused."
        CAUSE_ORGANIC "cause_organic" Share Neutral "traders' own orders":
            "Mean share that orders of traders' own caused."
        CAUSE_QUOTES "cause_quotes" Share Neutral "quotes that left":
            "Mean share that quotes caused: depth that fled or came back elsewhere, orders that expired."
        CAUSE_BACKSTOP "cause_backstop" Share Neutral "backstop":
            "Mean share that the backstop caused, selling what it took over."
        CAUSE_KEEPERS "cause_keepers" Share Neutral "keepers":
            "Mean share that keepers caused by selling what they took."
        CAUSE_RULE "cause_rule" Share Lower "rule":
            "Mean share that a higher requirement at the same price caused."
        CAUSE_COLLATERAL "cause_collateral" Share Lower "collateral":
            "Mean share that a lower value of collateral caused."
        CAUSE_FUNDING "cause_funding" Share Neutral "funding":
            "Mean share that funding payments caused."
        CAUSE_WITHDRAWAL "cause_withdrawal" Share Neutral "withdrawals":
            "Mean share that the owner's withdrawals caused."
        CAUSE_OWN "cause_own" Share Neutral "own trades":
            "Share of liquidations that the account's own trade caused, or that were due from the beginning."
        LOSS_SPIRAL "loss_spiral_notional" Share Lower "loss spiral":
            "Share of the notional of liquidations that other liquidations caused through prices."
        MARGIN_SPIRAL "margin_spiral_notional" Share Lower "margin spiral":
            "Share of the notional of liquidations that higher requirements caused."
        COLLATERAL_SPIRAL "collateral_spiral_notional" Share Lower "collateral spiral":
            "Share of the notional of liquidations that lower values of collateral caused."
        CASCADE_TREES "cascade_trees" Count Neutral "trees":
            "Liquidations that other causes began, each the first of a tree; trees are drawn in proportion to shares."
        CASCADE_LARGEST "cascade_largest" Count Lower "largest tree":
            "Liquidations of the largest tree."
        CASCADE_LARGEST_NOTIONAL "cascade_largest_notional" Currency Lower "its notional":
            "Value of the positions of the largest tree's accounts as their liquidations began."
        CASCADE_DURATION "cascade_duration" Seconds Neutral "its duration":
            "Time from the first liquidation of the largest tree to its last."
        CASCADE_GENERATIONS "cascade_generations" Count Lower "most generations":
            "Generations after the first in the deepest tree."
        CASCADE_TAIL "cascade_tail_exponent" Ratio Neutral "tail exponent":
            "Exponent of a power law fitted to the tail of trees' sizes by maximum likelihood; none below twenty sizes."
        CASCADE_TAIL_P "cascade_tail_p" Share Neutral "tail's p-value":
            "Probability of as large a distance from that power law if it held, by resampling: small where it is refused."
    }
    World Design {
        MATRIX_RADIUS "reproduction_matrix_radius" Ratio Lower "joint R of markets":
            "Spectral radius of the matrix of forced quantity in one market for a fall of 1 % in another over the first one's bids, at the start and at the highest R of each market; the largest, endless ones aside."
    }
    World Engine {
        ROUNDS_EXHAUSTED "rounds_exhausted" Count Lower "checks cut off":
            "Steps whose margin check was cut off by the round limit."
        CONSERVATION "conservation" Quanta Lower "conservation gap":
            "Magnitude of Σ (cash − cost) over every account less net deposits at the end: 0 is exact."
    }
    Market Feedback {
        AMPLIFICATION_DRAWDOWN "amplification_drawdown" Ratio Lower "drawdown":
            "Drawdown of the mid over that of the twin; 1 where both are 0, infinite where only the twin's is."
        AMPLIFICATION_VOLATILITY "amplification_volatility" Ratio Lower "volatility":
            "Realised volatility over that of the twin; 1 where both are 0, infinite where only the twin's is."
        AMPLIFICATION_LIQUIDATED "amplification_liquidated_notional" Ratio Lower "liquidated":
            "Liquidated notional over that of the twin; 1 where both are 0, infinite where only the twin's is."
        ENDOGENOUS_SHARE "endogenous_share" Share Lower "endogenous share of fall":
            "1 − drawdown of the twin / drawdown of the run: the part of the fall that was the market's own doing; 0 where the run did not fall."
        SPIRAL_SHARE "spiral_share" Share Lower "of which margin spiral":
            "1 − drawdown with rates frozen at those of the first step / drawdown of the run: the part of the fall that rising margins made; 0 where no rate moved. The frozen world has the same draws, and its forced orders trade."
        LOSS_SHARE "loss_spiral_share" Share Lower "of which loss spiral":
            "Endogenous share less spiral share: the part of the fall that forced orders made at the first step's margins."
    }
    World Feedback {
        PREMATURE_TWIN "premature_share_twin" Share Lower "premature, twin's path":
            "As `premature_share`, on the twin's path: the same draws, and no forced order moves a price."
        PREMATURE_ENDOGENOUS "premature_endogenous" Share Lower "of which own doing":
            "`premature_share_twin` − `premature_share`: accounts that were lost only because liquidations moved the price."
        PREMATURE_TWIN_UNDECIDED "premature_undecided_twin" Share Neutral "undecided, twin's path":
            "As `premature_undecided`, on the twin's path."
        AMPLIFICATION_BAD_DEBT "amplification_bad_debt" Ratio Lower "bad debt":
            "Bad debt over that of the twin; 1 where both are 0, infinite where only the twin's is."
        AMPLIFICATION_LIQUIDATED_TOTAL "amplification_liquidated_notional_total" Ratio Lower "liquidated, all markets":
            "Liquidated notional of all markets over that of the twin; 1 where both are 0, infinite where only the twin's is."
    }
    Market Unguarded {
        PREVENTED_DRAWDOWN "guards_prevented_drawdown" Share Higher "drawdown prevented":
            "Drawdown of the mid without fail-safes less that with them; negative where they deepened it."
    }
    World Unguarded {
        PREVENTED_ACCOUNTS "guards_prevented_liquidated_accounts" Count Higher "accounts spared":
            "Accounts liquidated without fail-safes but not with them, less those liquidated only with them."
        PREVENTED_NOTIONAL "guards_prevented_notional" Currency Higher "liquidation prevented":
            "Liquidated notional without fail-safes less that with them."
        PREVENTED_BAD_DEBT "guards_prevented_bad_debt" Currency Higher "bad debt prevented":
            "Bad debt without fail-safes less that with them."
        PUT_OFF "guards_put_off" Seconds Neutral "liquidations put off":
            "Median of how much later accounts were first liquidated than without fail-safes, over those liquidated in both runs; negative where earlier."
    }
}

/// The metric of that name, if there is one.
pub fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|found| found.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_labels_fit_a_terminal() {
        for (place, found) in DEFINITIONS.iter().enumerate() {
            assert!(
                DEFINITIONS[..place]
                    .iter()
                    .all(|before| before.name != found.name),
                "{}",
                found.name
            );
            assert!(found.label.chars().count() <= 26, "{}", found.label);
            assert!(found.text.ends_with('.'), "{}", found.name);
        }
        assert_eq!(definition("drawdown"), Some(&DRAWDOWN));
        assert_eq!(definition("draw_down"), None);
    }
}
