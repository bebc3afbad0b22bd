/** How the report looks: on a phone, on a wide screen, in the dark and on paper; no script, font or picture from outside. */

/**
 * Colours keep the contrast of WCAG 2.2 AA (4.5 for text, 3 for marks). Below 40rem each row of a table becomes a block
 * in which every cell bears its column's name, so that nothing scrolls sideways; paper never shows the dark colours.
 */
export const STYLE = `
:root { color-scheme: light; --page: #fff; --text: #1b1b1b; --soft: #444; --line: #ccc; --box: #f6f6f4; --good: #1f5e2f; --bad: #8a1c1c; --open: #6e4c00; --good-mark: #2c7a3f; --bad-mark: #a32626; --open-mark: #9a6b00; }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; --page: #16181a; --text: #e6e4df; --soft: #b6b3ac; --line: #44484c; --box: #212427; --good: #86d69b; --bad: #ff9d96; --open: #eec05f; --good-mark: #4fae69; --bad-mark: #ee6e66; --open-mark: #c9962e; } }
* { box-sizing: border-box; }
html { background: var(--page); -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { font: 16px/1.5 Georgia, 'DejaVu Serif', serif; color: var(--text); max-width: 52rem; margin: 2rem auto; padding: 0 1.25rem; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
code, .digest { font: .82em/1.4 'DejaVu Sans Mono', Menlo, Consolas, monospace; }
small, .stack small { color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: .92rem; } .rows + table { margin-top: 1rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } thead th { overflow-wrap: normal; } th[scope=row] { width: 12rem; } .wide .digest { display: inline-block; min-width: 16rem; }
.checks { table-layout: fixed; } .checks th:nth-child(1) { width: 44%; } .checks th:nth-child(2) { width: 15%; } .checks td:nth-child(3) { font-size: .85em; }
.stack { table-layout: fixed; } .stack th:nth-child(1) { width: 2.2rem; } .stack th:nth-child(3) { width: 26%; } .stack th:nth-child(4) { width: 9.5rem; } .stack th:nth-child(5) { width: 20%; }
.verdict { border-left: .5rem solid; padding: .6rem 1rem; margin: 1.2rem 0; background: var(--box); }
.verdict.good { border-color: var(--good-mark); } .verdict.bad { border-color: var(--bad-mark); } .verdict.open { border-color: var(--open-mark); }
.verdict strong { font-size: 1.2rem; }
.wide { overflow-x: auto; } svg { max-width: 100%; height: auto; } figure { margin: 1rem 0; }
.match { fill: var(--good-mark); } .diverged { fill: var(--bad-mark); } .lost { fill: none; stroke: var(--open-mark); stroke-width: 2; }
.badge { display: inline-block; border: 1.5px solid; border-radius: .7rem; padding: 0 .55rem; font: 600 .8rem/1.5 'DejaVu Sans', Helvetica, Arial, sans-serif; }
.badge.good { color: var(--good); border-color: var(--good-mark); } .badge.bad { color: var(--bad); border-color: var(--bad-mark); } .badge.open { color: var(--open); border-color: var(--open-mark); }
.badges { margin: .8rem 0; } .badges .badge { font-size: .95rem; margin: 0 .4rem .4rem 0; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem 0; }
@media (max-width: 40rem) {
  body { margin: 1rem auto; padding: 0 .9rem; } h1 { font-size: 1.4rem; } dd { margin-left: 0; } ul, ol { padding-left: 1.4rem; }
  table, tbody, tr, th[scope=row], td { display: block; width: auto; } thead { display: none; }
  tr { border-bottom: 1px solid var(--line); padding: .4rem 0; } th, td { border: 0; padding: 0; }
  td[data-name] { display: flow-root; padding-left: 6.2rem; }
  td[data-name]::before { content: attr(data-name); float: left; width: 5.8rem; margin-left: -6.2rem; color: var(--soft); }
  .checks td:nth-child(3) { font-size: 1em; } .wide .digest { min-width: 0; }
}
@media print { body { max-width: none; margin: 0; padding: 0; font-size: 10.5pt; } h2, h3, thead { break-after: avoid; } tr, .verdict, figure { break-inside: avoid; } .verdict { background: none; } .wide { overflow: visible; } .wide .digest { min-width: 0; } }
`;
