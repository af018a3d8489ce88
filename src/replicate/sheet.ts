import { plotSize } from './draw-plot.ts'

const columns = 2
const gap = 16

/** One SVG file of several plots, side by side; dark where the reader's system is. */
export function sheet(svgs: readonly string[]): string {
  const { width, height } = plotSize
  const across = Math.min(columns, Math.max(1, svgs.length))
  const down = Math.max(1, Math.ceil(svgs.length / columns))
  const placed = svgs.map((svg, at) => {
    const x = gap + (at % columns) * (width + gap)
    const y = gap + Math.floor(at / columns) * (height + gap)
    return svg.replace('<svg ', `<svg x="${x}" y="${y}" `)
  })
  const [wide, high] = [gap + across * (width + gap), gap + down * (height + gap)]
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${high}" viewBox="0 0 ${wide} ${high}">`
  return `${[open, style, ...placed, '</svg>'].join('\n')}\n`
}

const style = `<style>
:root { color: #1b1b1b; background: #fff }
@media (prefers-color-scheme: dark) { :root { color: #e4e4e4; background: #16181c } }
</style>`
