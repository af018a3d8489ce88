// Stages `question` and `tokenize`: a text becomes token ids, as many as it has.
import { tokenIds } from './tokens.js'

/**
 * @param {{ text: import('millrace').Tensor<'string'> }} inputs One text.
 * @returns {{ ids: import('millrace').Tensor<'int64'> }}
 */
export default function tokenize({ text }) {
  const ids = tokenIds(text.data[0] ?? '')
  return { ids: { type: 'int64', dims: [ids.length], data: ids } }
}
