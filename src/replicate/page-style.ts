/** The style of a report: one column on a telephone, two of plots where there is room; light or dark as the reader has it. */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --faint: #6a6a6a; --line: #d8d8d8; --panel: #f6f7f8;
  --good: #1d7a3e; --bad: #b3261e; --half: #8a5a00 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e4e4; --paper: #16181c; --faint: #9aa0a6; --line: #3a3d42;
  --panel: #1f2227; --good: #6fcf8a; --bad: #ff8a80; --half: #f0c060 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1rem; max-width: 1120px; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word }
h1 { font-size: 1.6rem; line-height: 1.25 } h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1.5rem }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem }
a { color: inherit } .faint { color: var(--faint) } nav a { margin-right: .8rem; white-space: nowrap }
.measured { background: var(--panel); border-left: 4px solid var(--half); padding: .5rem .8rem }
.plots { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)) }
.plots figure { margin: 0; min-width: 0 } .plots svg { width: 100%; height: auto; display: block }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-size: .9rem; min-width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line) }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } th.number { text-align: right }
td.long { min-width: 17rem }
th { font-weight: 600; background: var(--panel) }
.confirmed { color: var(--good); font-weight: 600 } .not-confirmed { color: var(--bad); font-weight: 600 }
.confirmed-in-part { color: var(--half); font-weight: 600 } .reported { color: var(--faint); font-weight: 600 }
.reason { display: block; color: var(--faint); font-size: .85rem; line-height: 1.4 }
@media (max-width: 640px) {
  .findings, .findings tbody, .findings tr, .findings td { display: block; width: 100% }
  .findings thead { display: none } .findings tr { border-bottom: 2px solid var(--line); padding: .5rem 0 }
  .findings td { border: 0; padding: .1rem 0 } .findings td::before { content: attr(data-name) ': '; color: var(--faint) }
}
`.trim()
