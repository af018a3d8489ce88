/** What is drawn of one plot, in pixels of the page. */
export interface Drawn {
  readonly plot: string
  readonly width: number
  readonly height: number
  /** Bars, lines and points, but for axes and symbols of legends. */
  readonly shapes: number
  readonly texts: readonly string[]
  /** Texts that are not wholly within the plot. */
  readonly cut: readonly string[]
  /** Pairs of texts, one over the other. */
  readonly overlapping: readonly string[]
}

/** For `page.evaluate`: a {@link Drawn} of each plot. A string, since what runs in a page has a document, and nothing here has. */
export const drawnPlots = `[...document.querySelectorAll('.plots figure')].map((figure) => {
  const svg = figure.querySelector('svg')
  const box = svg.getBoundingClientRect()
  const texts = [...svg.querySelectorAll('text')].map((text) => {
    return { text: text.textContent, rect: text.getBoundingClientRect() }
  })
  const isCut = ({ rect }) =>
    rect.left < box.left - 1 ||
    rect.right > box.right + 1 ||
    rect.top < box.top - 1 ||
    rect.bottom > box.bottom + 1
  const overlapping = texts.flatMap(({ text, rect }, at) =>
    texts.slice(at + 1).flatMap((other) => {
      const wide = Math.min(rect.right, other.rect.right) - Math.max(rect.left, other.rect.left)
      const high = Math.min(rect.bottom, other.rect.bottom) - Math.max(rect.top, other.rect.top)
      return wide > 1 && high > 3 ? [\`\${text} / \${other.text}\`] : []
    }),
  )
  return {
    plot: figure.getAttribute('aria-label'),
    width: box.width,
    height: box.height,
    shapes: svg.querySelectorAll('path[fill^="#"], path[stroke^="#"]').length,
    texts: texts.map(({ text }) => text),
    cut: texts.filter(isCut).map(({ text }) => text),
    overlapping,
  }
})`
