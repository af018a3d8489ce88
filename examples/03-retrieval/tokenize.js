// Stage `tokenize`, in a worker thread: the text of a passage becomes token ids, as many as it has.
import { tokenIds } from './tokens.js'

/** @param {{ text: import('millrace').Tensor<'string'> }} inputs One text. */
export default function tokenize({ text }) {
  const ids = tokenIds(text.data[0] ?? '')
  return { ids: { type: 'int64', dims: [ids.length], data: ids } }
}
