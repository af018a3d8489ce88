// Examples 06 and 07, as their READMEs run them.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { root } from '../cli/millrace.ts'

const run = promisify(execFile)

describe.each(['06-fastify', '07-express'])('example %s', (name) => {
  it('answers its own requests and ends', async () => {
    const { stdout } = await run(process.execPath, [`examples/${name}/main.js`, '--once'], {
      cwd: root,
    })
    const answers = stdout.split('\n').filter((line) => /^\d{3} /.test(line))
    expect(answers).toHaveLength(5)
    expect(answers[0]).toMatch(/^200 \{"digit":3,"confidence":0\.88/)
    expect(answers[1]).toContain('"ready":true')
    for (const answer of answers) expect(answer).toMatch(/^200 /)
  })
})
