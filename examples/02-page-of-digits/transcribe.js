// Stage `transcribe`, in a worker thread: what was read crop by crop becomes the text of the page.

/**
 * @param {{ labels: import('millrace').Tensor<'int64'>, lines: import('millrace').Tensor<'int32'> }} inputs
 *   Of all digits of one page, in reading order; none of a blank page.
 */
export default function transcribe({ labels, lines }) {
  let text = ''
  for (let index = 0; index < lines.data.length; index++) {
    if (index > 0 && lines.data[index] !== lines.data[index - 1]) text += '\n'
    text += labels.data[index]
  }
  return { text }
}
