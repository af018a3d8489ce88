import { describe, suggest } from '../../check.ts'
import type { ModelFace, TensorFace, WantedOutput } from './model-face.ts'
import { badRequest } from './protocol-error.ts'
import {
  type Parameters,
  readFlag,
  readParameters,
  refuseUnsupported,
} from './request-parameters.ts'

/** Which outputs a request asks for, in its order; all where it asks for none. @throws {ProtocolError} 400, 501 */
export function readOutputs(
  value: unknown,
  parameters: Parameters | undefined,
  face: ModelFace,
): readonly WantedOutput[] {
  const binary = readFlag(parameters, 'binary_data_output', 'parameters') ?? false
  const wanted = readList(value, { binary, face })
  const half = wanted.find(({ output, binary }) => output.type === 'float16' && !binary)
  if (half === undefined) return wanted
  throw badRequest(
    `output "${half.output.name}": FP16 has no form in JSON; ask for it with the parameter binary_data, or leave it out of outputs`,
  )
}

function readList(
  value: unknown,
  { binary, face }: { binary: boolean; face: ModelFace },
): readonly WantedOutput[] {
  const all = binary ? face.allAsBinary : face.allAsJson
  if (value === undefined) return all
  if (!Array.isArray(value)) {
    throw badRequest(`outputs: expected a list such as [{ "name": … }], got ${describe(value)}`)
  }
  if (value.length === 0) return all
  const seen = new Set<TensorFace>()
  return value.map((entry: unknown) => {
    const wanted = readWanted(entry, { binary, face })
    if (seen.has(wanted.output)) {
      throw badRequest(`output "${wanted.output.name}": it is asked for twice; ask once`)
    }
    seen.add(wanted.output)
    return wanted
  })
}

function readWanted(entry: unknown, given: { binary: boolean; face: ModelFace }): WantedOutput {
  if (typeof entry !== 'object' || entry === null) {
    throw badRequest(`outputs: expected objects such as { "name": … }, got ${describe(entry)}`)
  }
  const { name, parameters: ofOutput } = entry as Parameters
  const { outputs } = given.face
  const output = outputs.get(name as string)
  if (output === undefined) {
    const model = `model ${JSON.stringify(given.face.name)}`
    const advice = typeof name === 'string' ? suggest(name, [...outputs.keys()]) : 'give its name'
    throw badRequest(`${model} has no output ${describe(name)}; ${advice}`)
  }
  const where = `output "${output.name}"`
  const parameters = readParameters(ofOutput, `${where}, parameters`)
  refuseUnsupported(parameters, where)
  return { output, binary: readFlag(parameters, 'binary_data', where) ?? given.binary }
}
