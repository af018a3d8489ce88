import { describe, expect, it } from 'vitest'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { inline } from '../../src/pipeline/inline.ts'
import { errorOf } from './thrown.ts'

const define = (stages: object, outputs: object = { y: 'join.y' }) => {
  return definePipeline({ name: 'pages', stages, outputs } as never)
}

// A stage with an output `y`, fed by the references in order.
function stage(texts: string | readonly (string | readonly string[])[], more: object = {}) {
  const list = typeof texts === 'string' ? [texts] : texts
  const inputs = Object.fromEntries(list.map((text, index) => [`in${index}`, text]))
  const outputs = { y: { type: 'float32', dims: [-1] } }
  return inline((() => ({ y: 0 })) as never, { inputs, outputs, ...more } as never)
}
const fan = (texts: Parameters<typeof stage>[0], more: object = {}) => {
  return stage(texts, { fanOut: true, ...more })
}
const page = { page: fan('request.page') }
const two = { ...page, line: fan('page.y') }

describe('a fan-out', () => {
  it.each<[string, object, object]>([
    ['is read once for each item', { ...page, join: stage('page.y') }, { y: 'join.y' }],
    ['is itself an output', page, { y: 'page.y' }],
    ['nests', { ...two, join: stage(['line.y', 'page.y', 'request.page']) }, { y: 'join.y' }],
    [
      'is gathered from inside to outside',
      {
        ...two,
        row: stage('line.y', { gather: 'line' }),
        join: stage('row.y', { gather: 'page' }),
      },
      { y: 'join.y' },
    ],
    [
      'is gathered more than once, the second time beside what was gathered first',
      {
        ...page,
        one: stage('page.y', { gather: 'page' }),
        join: stage(['page.y', 'one.y'], { gather: 'page' }),
      },
      { y: 'join.y' },
    ],
    [
      'is opened by what gathers',
      { ...page, join: fan('page.y', { gather: 'page' }) },
      { y: 'join.y' },
    ],
    [
      'sees values from before it, as other candidates too',
      {
        ...page,
        a: stage('page.y', { when: { output: 'page.y', above: 0 } }),
        b: stage('request.page'),
        join: stage([['a.y', 'b.y']]),
      },
      { y: 'join.y' },
    ],
  ])('%s', (_, stages, outputs) => {
    expect(() => define(stages, outputs)).not.toThrow()
  })

  it('joins another one once that is gathered', () => {
    const stages = {
      left: fan('request.page'),
      right: fan('request.page'),
      all: stage('right.y', { gather: 'right' }),
      join: stage(['left.y', 'all.y']),
    }
    expect(() => define(stages)).not.toThrow()
  })

  const unrelated = { left: fan('request.page'), right: fan('request.page') }

  it.each<[string, object, string]>([
    [
      'beside an unrelated one',
      { ...unrelated, join: stage(['left.y', 'right.y']) },
      `stage "join": it reads from two fan-outs that have nothing to do with each other: 'left.y', an item of "left", and 'right.y', of "right"; gather one of them first`,
    ],
    [
      'in the condition of an unrelated one',
      { ...unrelated, join: stage('left.y', { when: { output: 'right.y', above: 0 } }) },
      `'left.y', an item of "left", and 'right.y', of "right"`,
    ],
    [
      'gathered beside an unrelated one',
      { ...unrelated, join: stage(['left.y', 'right.y'], { gather: 'left' }) },
      `'right.y' is of the items of "right", which have nothing to do with those of "left"; gather "right" first`,
    ],
    [
      'gathered from too deep inside',
      { ...two, join: stage('line.y', { gather: 'page' }) },
      `'line.y' is of the items of "line", further inside than those of "page"; gather "line" first`,
    ],
    [
      'gathered in vain',
      { ...page, join: stage('request.page', { gather: 'page' }), x: stage('page.y') },
      'stage "join", gather: no input is fed by a value of the items of "page"',
    ],
    [
      'gathered before it',
      { join: stage('request.page', { gather: 'late' }), late: fan('join.y') },
      'which comes after it',
    ],
    ['that is none', { a: stage('request.page'), join: stage('a.y', { gather: 'a' }) }, 'got "a"'],
    [
      'that does not exist',
      { ...page, join: stage('page.y', { gather: 'pgae' }) },
      'did you mean "page"?',
    ],
    [
      'that is its own',
      { join: fan('request.page', { gather: 'join' }) },
      'another stage with fanOut',
    ],
    [
      'in the condition of what gathers it',
      { ...page, join: stage('page.y', { gather: 'page', when: { output: 'page.y', above: 0 } }) },
      `stage "join", when: 'page.y' has a value for each item of "page"`,
    ],
    [
      'among candidates that are gathered',
      {
        ...page,
        a: stage('request.page', { when: { output: 'page.y', above: 0 } }),
        join: stage([['page.y', 'request.page']], { gather: 'page' }),
      },
      `input "in0": 'page.y' has a value for each item of "page", other candidates have one for each row`,
    ],
  ])('is refused %s', (_, stages, message) => {
    const error = errorOf(() => define(stages))
    expect(error.message).toContain('pipeline "pages", stage "join"')
    expect(error.message).toContain(message)
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
  })

  it('is no candidate beside rows in an output', () => {
    const stages = { ...page, a: stage('request.page') }
    const error = errorOf(() => define(stages, { y: ['page.y', 'a.y'] }))
    expect(error.message).toContain(
      `output "y": 'page.y' has a value for each item of "page", 'a.y' has a value for each row`,
    )
  })
})

describe('what runs for each item', () => {
  const sometimes = { when: { output: 'page.y', above: 0 } }
  const maybe = { ...page, accurate: stage('page.y', sometimes) }
  const asked = {
    a: stage('request.page'),
    page: fan('request.page', { when: { output: 'a.y', above: 0 } }),
  }

  it('is certain though there may be none', () => {
    expect(() => define({ ...page, join: stage('page.y') })).not.toThrow()
  })

  it('is certain though there are items for some rows only', () => {
    expect(() => define({ ...asked, join: stage('page.y') }, { y: 'join.y' })).not.toThrow()
  })

  it('needs a default where it may be skipped for one', () => {
    const error = errorOf(() => define(maybe, { y: 'accurate.y' }))
    expect(error.message).toContain('it may be that none of accurate.y runs for an item; add a')
    expect(() => define(maybe, { y: { from: 'accurate.y', default: 0 } })).not.toThrow()
    expect(() => define(maybe, { y: ['accurate.y', 'page.y'] })).not.toThrow()
  })

  it('is gathered only where there is a value for every item', () => {
    const gather = (text: unknown) =>
      define({ ...maybe, join: stage([text] as never, { gather: 'page' }) })
    expect(() => gather(['accurate.y', 'page.y'])).not.toThrow()
    expect(errorOf(() => gather('accurate.y')).message).toContain(
      'input "in0": it gathers all items, but it may be that none of accurate.y runs for one',
    )
  })

  it('hides the candidates behind it', () => {
    const error = errorOf(() => define({ ...maybe, join: stage([['page.y', 'accurate.y']]) }))
    expect(error.message).toContain("'accurate.y' is never taken: 'page.y' before it always is")
  })
})

describe('what gathers', () => {
  it('is certain when the fan-out is, for it runs for no items too', () => {
    expect(() => define({ ...page, join: stage('page.y', { gather: 'page' }) })).not.toThrow()
  })

  it('is not when the fan-out is not', () => {
    const stages = {
      a: stage('request.page'),
      page: fan('request.page', { when: { output: 'a.y', above: 0 } }),
      join: stage('page.y', { gather: 'page' }),
    }
    expect(errorOf(() => define(stages)).message).toContain('none of join.y runs for a row')
    expect(() => define(stages, { y: { from: 'join.y', default: 0 } })).not.toThrow()
  })
})
