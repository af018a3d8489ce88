// Elements, made so that whatever a name holds is text: nothing here is ever parsed as HTML.

type Attributes = Readonly<Record<string, string | number | undefined>>
type Child = Node | string

const svgNamespace = 'http://www.w3.org/2000/svg'

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  return filled(document.createElement(tag), attributes, children)
}

export function drawing<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  return filled(document.createElementNS(svgNamespace, tag), attributes, children)
}

/** Changes a text only where it is another, so that what is selected stays so, and readers are not told of nothing. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

export function setAttributes(node: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) node.removeAttribute(name)
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value))
  }
}

function filled<Node extends Element>(
  node: Node,
  attributes: Attributes,
  children: readonly Child[],
): Node {
  setAttributes(node, attributes)
  node.append(...children)
  return node
}
