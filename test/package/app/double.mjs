// biome-ignore lint/style/noDefaultExport: what js() looks for.
export default ({ x }) => ({ y: { type: 'float32', dims: x.dims, data: x.data.map((v) => 2 * v) } })
