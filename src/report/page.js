(() => {
  'use strict';

  // Tables: each head becomes a button that sorts by its column. What has no value stays last.
  for (const table of document.querySelectorAll('table.sortable')) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute('aria-sort', 'none');
      button.addEventListener('click', () => {
        const ascending = head.getAttribute('aria-sort') !== 'ascending';
        heads.forEach((other) => other.setAttribute('aria-sort', 'none'));
        head.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
        sort(table.tBodies[0], column, ascending);
      });
    });
  }

  function sort(body, column, ascending) {
    const key = (row) => {
      const cell = row.cells[column];
      const value = cell.dataset.value;
      if (value === undefined) return cell.textContent.trim();
      return value === '' ? null : Number(value);
    };
    const rows = [...body.rows].map((row) => [key(row), row]);
    const way = ascending ? 1 : -1;
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      if (typeof a === 'number' && typeof b === 'number') return way * (a < b ? -1 : a > b ? 1 : 0);
      return way * String(a).localeCompare(String(b), 'en', { numeric: true });
    });
    body.append(...rows.map(([, row]) => row));
  }

  // Charts: a drawing tells which numbers the edges of its panels stand for, and so which its points do.
  for (const figure of document.querySelectorAll('figure')) {
    const tip = document.createElement('div');
    tip.className = 'tip';
    tip.hidden = true;
    tip.setAttribute('role', 'status');
    figure.append(tip);
    for (const svg of figure.querySelectorAll('svg')) watch(figure, svg, tip);
  }

  function watch(figure, svg, tip) {
    // A drawing that is shown as it is says its numbers itself.
    if (figure.classList.contains('fixed')) return;
    // Only what has lines, bars or cells: the others say their numbers in words.
    if (!svg.querySelector('g.panel') || !svg.querySelector('g.series, g.values, g.marks')) return;
    let panels = null;
    let at = null;
    const cursor = document.createElementNS('http://www.w3.org/2000/svg', 'line');
    cursor.setAttribute('class', 'cursor');
    svg.setAttribute('tabindex', '0');

    const hide = () => { tip.hidden = true; cursor.remove(); at = null; };
    const show = (panel, x, y) => {
      const told = tell(svg, panel, x, y);
      if (!told) return hide();
      at = { panel, x: told.x, mark: told.mark };
      cursor.setAttribute('x1', told.x);
      cursor.setAttribute('x2', told.x);
      cursor.setAttribute('y1', panel.top);
      cursor.setAttribute('y2', panel.bottom);
      svg.append(cursor);
      tip.replaceChildren();
      const head = document.createElement('b');
      head.textContent = told.head;
      tip.append(head);
      for (const line of told.lines) {
        tip.append(line, document.createElement('br'));
      }
      tip.hidden = false;
      const place = new DOMPoint(told.x, panel.top).matrixTransform(svg.getScreenCTM());
      const box = figure.getBoundingClientRect();
      const right = place.x - box.left + 12;
      const fits = right + tip.offsetWidth < box.width;
      tip.style.left = `${Math.max(4, fits ? right : place.x - box.left - 12 - tip.offsetWidth)}px`;
      tip.style.top = `${Math.max(4, place.y - box.top + 4)}px`;
    };

    svg.addEventListener('pointermove', (event) => {
      panels ??= read(svg);
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const panel = panels.find((p) => point.x >= p.left && point.x <= p.right && point.y >= p.top && point.y <= p.bottom);
      if (panel) show(panel, point.x, point.y); else hide();
    });
    svg.addEventListener('pointerleave', hide);
    svg.addEventListener('blur', hide);
    svg.addEventListener('keydown', (event) => {
      panels ??= read(svg);
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === 'Escape') return hide();
      if (step === undefined && !['ArrowUp', 'ArrowDown'].includes(event.key)) return;
      event.preventDefault();
      let panel = at ? at.panel : panels[0];
      if (panel.marks && step !== undefined) {
        // From one to the next, from left to right.
        const place = at && at.mark !== undefined ? at.mark + step : step < 0 ? panel.marks.length - 1 : 0;
        const mark = panel.marks[Math.min(panel.marks.length - 1, Math.max(0, place))];
        return show(panel, mark.x, mark.y);
      }
      if (step === undefined && at) {
        const other = panels.indexOf(panel) + (event.key === 'ArrowDown' ? 1 : -1);
        panel = panels[Math.min(panels.length - 1, Math.max(0, other))];
      }
      const width = panel.right - panel.left;
      const columns = panel.cells ? panel.cells.x.length : panel.places ? panel.places.length - 1 : 100;
      const x = at ? at.x + (step ?? 0) * width / columns : panel.left + width / 2;
      show(panel, Math.min(panel.right, Math.max(panel.left, x)), (panel.top + panel.bottom) / 2);
    });
  }

  // The panels of a drawing, each with the lines and bars that follow it.
  function read(svg) {
    const panels = [];
    const scale = (text) => {
      const [low, high, kind] = text.split(' ');
      return { low: Number(low), high: Number(high), log: kind === 'log' };
    };
    for (const group of svg.querySelectorAll('g[class]')) {
      const kind = group.getAttribute('class');
      const panel = panels[panels.length - 1];
      if (kind === 'panel') {
        const [left, top, right, bottom] = group.dataset.room.split(' ').map(Number);
        panels.push({
          left, top, right, bottom, name: group.dataset.name, lines: [],
          x: scale(group.dataset.x), y: scale(group.dataset.y),
          places: svg.dataset.places ? svg.dataset.places.split('|') : null,
        });
      } else if (kind === 'marks' && panel) {
        const places = group.dataset.places.split(' ').map(Number);
        panel.marks = group.dataset.texts.split('|')
          .map((text, place) => ({ x: places[2 * place], y: places[2 * place + 1], text }))
          .sort((a, b) => a.x - b.x);
      } else if (kind === 'values' && panel) {
        panel.cells = {
          x: group.dataset.x.split('|'), y: group.dataset.y.split('|'),
          share: group.dataset.share === 'true', values: group.dataset.values.split(' ').map(Number),
        };
      } else if (kind === 'series' && panel) {
        const pieces = [...group.querySelectorAll('polyline')].map((line) =>
          line.getAttribute('points').trim().split(/\s+/).map((pair) => pair.split(',').map(Number)));
        // From left to right, whichever way they were drawn.
        for (const points of pieces) if (points[0][0] > points[points.length - 1][0]) points.reverse();
        const bars = [...group.querySelectorAll('rect')].map((bar) =>
          ['x', 'y', 'width', 'height'].map((name) => Number(bar.getAttribute(name))));
        panel.lines.push({ name: group.dataset.name, pieces, bars });
      }
    }
    return panels;
  }

  const value = (scale, share) => scale.log
    ? Math.exp(Math.log(scale.low) + share * (Math.log(scale.high) - Math.log(scale.low)))
    : scale.low + share * (scale.high - scale.low);

  // What a drawing says at a place: to the precision of a quarter of a pixel.
  function tell(svg, panel, x, y) {
    const width = panel.right - panel.left;
    const height = panel.bottom - panel.top;
    if (panel.cells) {
      const { cells } = panel;
      const column = Math.min(cells.x.length - 1, Math.floor((x - panel.left) / width * cells.x.length));
      const row = Math.min(cells.y.length - 1, Math.floor((panel.bottom - y) / height * cells.y.length));
      const found = cells.values[row * cells.x.length + column];
      const shown = Number.isNaN(found) ? 'no value'
        : cells.share ? `${(100 * found).toFixed(1)} %` : number(found, Math.abs(found) / 1000);
      return {
        x: panel.left + (column + 0.5) * width / cells.x.length,
        head: `${cells.y[row]} and ${cells.x[column]}`, lines: [shown],
      };
    }
    if (panel.marks) {
      let best = 0;
      const apart = (mark) => Math.hypot(mark.x - x, mark.y - y);
      panel.marks.forEach((mark, place) => { if (apart(mark) < apart(panel.marks[best])) best = place; });
      const [head, ...lines] = panel.marks[best].text.split(' · ');
      return { x: panel.marks[best].x, mark: best, head, lines: lines.length > 0 ? lines : [''] };
    }
    const [, unit] = /\(([^()]+)\)$/.exec(panel.name) ?? [];
    const measured = (text) => (unit === undefined || unit === 'ratio' ? text : `${text} ${unit}`);
    const up = (place) => (panel.bottom - place) / height;
    const told = (place) => {
      const here = value(panel.y, up(place));
      const step = panel.y.log ? Math.abs(here) / 100 : (panel.y.high - panel.y.low) / height;
      return measured(number(here, step));
    };
    // Where only some places mean something, at the nearest of them.
    if (panel.places) {
      const apart = width / Math.max(1, panel.places.length - 1);
      x = panel.left + Math.round((x - panel.left) / apart) * apart;
    }
    const lines = [];
    for (const line of panel.lines) {
      const at = crossed(line.pieces, x);
      if (at !== null) lines.push(`${line.name} ${told(at)}`);
      const bar = line.bars.find(([left, , wide]) => x >= left && x <= left + Math.max(wide, 4));
      if (bar) {
        const ends = [bar[1], bar[1] + bar[3]].map((place) => value(panel.y, up(place)));
        const tall = Math.abs(ends[0]) > Math.abs(ends[1]) ? ends[0] : ends[1];
        lines.push(`${line.name} ${measured(number(Math.abs(tall), (panel.y.high - panel.y.low) / height))}`);
      }
    }
    if (lines.length === 0) return null;
    const along = value(panel.x, (x - panel.left) / width);
    return { x, head: moment(svg, panel, along, width), lines };
  }

  // Where a line is at a place along the foot; nowhere in its gaps.
  function crossed(pieces, x) {
    for (const points of pieces) {
      if (x < points[0][0] - 2 || x > points[points.length - 1][0] + 2) continue;
      const next = points.findIndex((point) => point[0] >= x);
      if (next <= 0) return points[next === 0 ? 0 : points.length - 1][1];
      const [one, other] = [points[next - 1], points[next]];
      const part = other[0] > one[0] ? (x - one[0]) / (other[0] - one[0]) : 1;
      return one[1] + part * (other[1] - one[1]);
    }
    return null;
  }

  function moment(svg, panel, along, width) {
    if (panel.places) return panel.places[Math.round(along)] ?? '';
    const clock = svg.dataset.clock;
    if (clock === undefined) return number(along, (panel.x.high - panel.x.low) / width);
    if (clock !== 'elapsed') {
      const text = new Date(1000 * (Number(clock) + Math.round(along))).toISOString();
      const days = panel.x.high - panel.x.low > 2 * 86400;
      return days ? `${text.slice(0, 10)}` : `${text.slice(11, 19)} UTC`;
    }
    const whole = Math.round(along);
    const two = (n) => String(n).padStart(2, '0');
    return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)} after the start`;
  }

  // A number with as many digits as the drawing's precision allows.
  function number(value, step) {
    const [divisor, word] = Math.abs(value) >= 1e9 ? [1e9, ' bn'] : Math.abs(value) >= 1e6 ? [1e6, ' M'] : [1, ''];
    const digits = Math.min(6, Math.max(0, -Math.floor(Math.log10(Math.max(step, 1e-12) / divisor))));
    const shown = (value / divisor).toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return shown.replace(/^-(?=[0.,]*$)/, '').replace('-', '−') + word;
  }
})();
