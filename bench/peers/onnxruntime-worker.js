/**
 * One worker of the tinypool peer: a session of its own, made before the first task is taken. Plain
 * JavaScript, because a worker thread starts without the loader that lets its parent run TypeScript.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { Tinypool } from 'tinypool'

const { modelPath, sessionOptions, name, dims } = Tinypool.workerData
const session = await InferenceSession.create(modelPath, sessionOptions)

/**
 * Takes the values of the input and gives those of every output, by name: bare typed arrays, since
 * they cross to the other thread for less than tensors do.
 *
 * @param {Float32Array} data
 */
export async function run(data) {
  const outputs = await session.run({ [name]: new Tensor('float32', data, dims) })
  return Object.fromEntries(session.outputNames.map((output) => [output, outputs[output]?.data]))
}
