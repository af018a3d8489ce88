import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

interface Step {
  readonly uses?: string
  readonly run?: string
}

interface Job {
  readonly 'runs-on': string
  readonly needs?: string
  readonly steps: readonly Step[]
  readonly strategy?: { readonly matrix: { readonly include?: readonly { target: string }[] } }
}

interface Workflow {
  readonly name: string
  readonly on: object
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

const root = new URL('../../', import.meta.url)
const folder = new URL('.github/workflows/', root)
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
const workflows = readdirSync(folder).map((file) => ({
  file,
  workflow: parse(readFileSync(new URL(file, folder), 'utf8'), { strict: true }) as Workflow,
}))
const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(({ steps }) => steps)

describe.each(workflows)('the workflow $file', ({ workflow }) => {
  it('has jobs that run somewhere and do something', () => {
    expect(workflow).toMatchObject({ name: expect.any(String), on: expect.any(Object) })
    for (const job of Object.values(workflow.jobs)) {
      expect(job['runs-on']).toBeTruthy()
      for (const step of job.steps) expect(step.uses ?? step.run).toBeTruthy()
      if (job.needs !== undefined) expect(workflow.jobs).toHaveProperty(job.needs)
    }
  })

  it('may only read, unless a job says otherwise', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' })
  })

  it('runs only scripts that there are', () => {
    const lines = stepsOf(workflow).map(({ run = '' }) => run)
    for (const [, script = ''] of lines.join('\n').matchAll(/npm run (\S+)/g)) {
      expect(manifest.scripts).toHaveProperty([script])
    }
    for (const [, path = ''] of lines.join('\n').matchAll(/node (\S+\.m?js)/g)) {
      if (!path.startsWith('dist/'))
        expect(existsSync(fileURLToPath(new URL(path, root)))).toBe(true)
    }
  })
})

describe('a release', () => {
  it('builds an addon for every platform that a package is published for', () => {
    const { workflow } = workflows.find(({ file }) => file === 'release.yml') ?? {}
    const built = workflow?.jobs['addon']?.strategy?.matrix.include?.map(({ target }) => target)
    expect(built).toEqual(manifest.napi.targets)
  })
})
