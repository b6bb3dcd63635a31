//! The graph as text for other programs: DOT for Graphviz, GraphML for Gephi and NetworkX.
//!
//! Nodes are liquidations by number; weights are shares between 0 and 1; money and prices in the ledger's integers.
//! A reader's tables and JSON are output's business.

use super::cause::{Outer, WHOLE};
use super::graph::{Genealogy, Liquidation};
use crate::unit::Side;
use petgraph::dot::{Config, Dot};
use petgraph::visit::{EdgeRef, IntoNodeReferences};
use std::fmt::Write as _;

const fn side(node: &Liquidation) -> &'static str {
    match node.side {
        Side::Sell => "long",
        Side::Buy => "short",
    }
}

fn share(part: u32) -> f64 {
    f64::from(part) / f64::from(WHOLE)
}

/// The graph in DOT; `markets` are the markets' names.
pub fn dot(genealogy: &Genealogy, markets: &[&str]) -> String {
    let name = |node: &Liquidation| markets.get(node.market.index()).copied().unwrap_or("?");
    let graph = &genealogy.graph;
    let edge = |_, edge: petgraph::graph::EdgeReference<'_, u32>| {
        format!("weight={:.9}", share(*edge.weight()))
    };
    let node = |_, (_, node): (_, &Liquidation)| {
        format!(
            "label=\"{} {} {} at step {}\" notional={} own={:.9}",
            node.number,
            name(node),
            side(node),
            node.step,
            node.notional.0,
            1.0 - share(node.shares.forced()),
        )
    };
    let config = [Config::EdgeNoLabel, Config::NodeNoLabel];
    format!("{:?}", Dot::with_attr_getters(graph, &config, &edge, &node))
}

/// The graph in GraphML.
pub fn graphml(genealogy: &Genealogy, markets: &[&str]) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
    );
    let keys = [
        ("account", "long"),
        ("market", "string"),
        ("step", "long"),
        ("side", "string"),
        ("quantity", "long"),
        ("trigger", "double"),
        ("mark", "long"),
        ("notional", "long"),
        ("loss", "long"),
        ("generation", "long"),
        ("root", "long"),
    ];
    let outer = Outer::ALL.map(|outer| (outer.name(), "double"));
    for (name, kind) in keys.into_iter().chain(outer) {
        let _ = writeln!(
            text,
            "<key id=\"{name}\" for=\"node\" attr.name=\"{name}\" attr.type=\"{kind}\"/>"
        );
    }
    text.push_str("<key id=\"weight\" for=\"edge\" attr.name=\"weight\" attr.type=\"double\"/>\n");
    text.push_str("<graph edgedefault=\"directed\">\n");
    for (_, node) in genealogy.graph.node_references() {
        let market = markets.get(node.market.index()).copied().unwrap_or("?");
        let _ = write!(text, "<node id=\"{}\">", node.number);
        let mut data = |key: &str, value: &dyn std::fmt::Display| {
            let value = value.to_string();
            let value = value.replace('&', "&amp;").replace('<', "&lt;");
            let _ = write!(text, "<data key=\"{key}\">{value}</data>");
        };
        data("account", &node.account.0);
        data("market", &market);
        data("step", &node.step);
        data("side", &side(node));
        data("quantity", &node.quantity.0);
        data("trigger", &node.trigger);
        data("mark", &node.mark.0);
        data("notional", &node.notional.0);
        data("loss", &node.loss.0);
        data("generation", &node.generation);
        data("root", &node.root);
        for outer in Outer::ALL {
            data(outer.name(), &node.shares.share(outer));
        }
        text.push_str("</node>\n");
    }
    for edge in genealogy.graph.edge_references() {
        let _ = writeln!(
            text,
            "<edge source=\"{}\" target=\"{}\"><data key=\"weight\">{}</data></edge>",
            edge.source().index(),
            edge.target().index(),
            share(*edge.weight())
        );
    }
    text.push_str("</graph>\n</graphml>\n");
    text
}
