import sharp from 'sharp'

/** Pixels along an edge of what the models take, and their largest value. */
const edge = 8
const darkest = 16

/**
 * A picture of one dark digit on light paper, of any size, as the models were taught: 8 x 8 pixels, 0 to 16, ink high.
 *
 * @param {Buffer} bytes PNG, or whatever else sharp reads.
 * @returns {Promise<import('millrace').Tensor<'float32'> | undefined>} Undefined where it is no picture.
 */
export async function readPng(bytes) {
  const pixels = await sharp(bytes, { limitInputPixels: 4096 * 4096 })
    .flatten({ background: 'white' })
    .greyscale()
    .resize(edge, edge, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer()
    .catch(() => undefined)
  if (pixels === undefined) return undefined
  const data = Float32Array.from(pixels, (value) => ((255 - value) / 255) * darkest)
  return { type: 'float32', dims: [1, 1, edge, edge], data }
}
