// A guide's title is its first heading, as a reader of the file sees it.

/**
 * Names the page by its first heading, which is taken out of the text: the page shows its name above it.
 *
 * @param {import('typedoc').DocumentReflection} document
 */
export function setTitle(document) {
  const [first] = document.content
  if (first === undefined || first.kind !== 'text') return
  const [, heading, title = ''] = /^\s*(# +(.+?)\s*)(?:\n|$)/.exec(first.text) ?? []
  if (heading === undefined) return
  document.name = title
  first.text = first.text.replace(heading, '')
}
