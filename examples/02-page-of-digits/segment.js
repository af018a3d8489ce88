// Stage `segment`, in a worker thread: a PNG in, a crop for each digit on it out, in reading order.
import sharp from 'sharp'
import { findDigits } from './find-digits.js'

/** Runs once in each worker, which is one of several: more threads inside of it would only get in each other's way. */
export function setup() {
  sharp.concurrency(1)
}

/**
 * The first dimension of both outputs counts the digits, and so says how often the stages that read them run for this page.
 *
 * @param {{ page: import('millrace').Tensor<'uint8'> }} inputs One page: a PNG.
 */
export default async function segment({ page }) {
  const { data, info } = await sharp(page.data)
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const found = findDigits({ data, widthPx: info.width, heightPx: info.height })
  const crops = new Float32Array(found.length * 64)
  for (const [index, { crop }] of found.entries()) crops.set(crop, index * 64)
  const lines = Int32Array.from(found, ({ line }) => line)
  return {
    crops: { type: 'float32', dims: [found.length, 1, 8, 8], data: crops },
    lines: { type: 'int32', dims: [found.length], data: lines },
  }
}
