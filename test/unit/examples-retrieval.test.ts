// The parts of example 03 that need no engine: tokens, questions, judging an order, the store, the models.
import { readFileSync } from 'node:fs'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { bestFirst } from '../../examples/03-retrieval/best-first.js'
import { encoderModel, rarities, rerankerModel } from '../../examples/03-retrieval/make-models.ts'
import {
  readPassages,
  readQuestions,
  readTuningQuestions,
  searchedText,
} from '../../examples/03-retrieval/passages.js'
import { meanReciprocalRank, rankOf, recallAt } from '../../examples/03-retrieval/ranking.js'
import { searchIn } from '../../examples/03-retrieval/search.js'
import { Store } from '../../examples/03-retrieval/store.js'
import tokenize from '../../examples/03-retrieval/tokenize.js'
import {
  embeddingSize,
  stem,
  tokenIds,
  vocabularySize,
  words,
} from '../../examples/03-retrieval/tokens.js'

describe('tokens', () => {
  it('are the words of a text, also those within a name', () => {
    expect(words('fs.readFile: Reads 2 files')).toEqual([
      'fs',
      'read',
      'file',
      'reads',
      '2',
      'files',
    ])
  })

  it.each([
    ['files', 'file'],
    ['encrypting', 'encrypted'],
    ['hashing', 'hashes'],
    ['directories', 'directory'],
  ])('of "%s" and "%s" are one', (one, other) => {
    expect(stem(one)).toBe(stem(other))
  })

  it.each(['is', 'bed', 'ring'])('of a word as short as "%s" is the word', (word) => {
    expect(stem(word)).toBe(word)
  })

  it('are never padding, and within the vocabulary', () => {
    const ids = readPassages().flatMap((passage) => [...tokenIds(searchedText(passage))])
    expect(ids.every((id) => id > 0n && id < BigInt(vocabularySize))).toBe(true)
  })

  it('are at least one, so that no text is without a shape', () => {
    expect(tokenIds('')).toHaveLength(1)
    expect(tokenIds('?!')).toHaveLength(1)
  })

  it('rarely share an id with those of another word', () => {
    const stems = new Set(readPassages().flatMap(({ text }) => words(text).map(stem)))
    const ids = new Set([...stems].map((word) => tokenIds(word)[0]))
    expect(ids.size / stems.size).toBeGreaterThan(0.9)
  })

  it('weigh more the rarer they are, and padding nothing', () => {
    const weights = rarities()
    const weightOf = (word: string) => weights[Number(tokenIds(word)[0])] ?? Number.NaN
    expect(weightOf('checksum')).toBeGreaterThan(weightOf('buffer'))
    expect(weightOf('buffer')).toBeGreaterThan(weightOf('the'))
    expect(weights[0]).toBe(0)
  })
})

describe('questions', () => {
  it('are answered by passages there are', () => {
    const titles = new Set(readPassages().map(({ title }) => title))
    const answers = [...readQuestions(), ...readTuningQuestions()].map(({ answers }) => answers)
    expect(answers.filter((of) => of.length === 0)).toEqual([])
    expect(answers.flat().filter((title) => !titles.has(title))).toEqual([])
  })

  it('are not those that the constants were chosen with', () => {
    const tuning = new Set(readTuningQuestions().map(({ query }) => query))
    expect(readQuestions().filter(({ query }) => tuning.has(query))).toEqual([])
  })
})

describe('an order', () => {
  it('is judged by its first right answer', () => {
    expect(rankOf(['a', 'b', 'c'], ['c', 'b'])).toBe(2)
    expect(rankOf(['a'], ['b'])).toBe(Number.POSITIVE_INFINITY)
    expect(rankOf([], ['b'])).toBe(Number.POSITIVE_INFINITY)
  })

  it('has a recall and a mean reciprocal rank', () => {
    const ranks = [1, 2, 6, Number.POSITIVE_INFINITY]
    expect(recallAt(ranks, 1)).toBe(0.25)
    expect(recallAt(ranks, 5)).toBe(0.5)
    expect(meanReciprocalRank(ranks)).toBeCloseTo((1 + 1 / 2 + 1 / 6) / 4)
  })
})

describe('the stages', () => {
  const embedding = { type: 'float32' as const, dims: [2], data: Float32Array.of(1, 0) }
  const { signal } = new AbortController()

  it.each([
    ['20 candidates when there is time', Number.POSITIVE_INFINITY, 20],
    ['fewer when there is little', 10, 5],
  ])('search for %s', async (_what, deadlineMs, count) => {
    const store = { search: vi.fn(async () => [{ title: 't', text: 'x', similarity: 1 }]) }
    const search = searchIn(store as unknown as Store)
    const found = await search({ embedding }, { rows: 1, deadlineMs, signal, state: undefined })
    expect(store.search).toHaveBeenCalledWith({ near: embedding.data, count, signal })
    expect(found.text).toEqual({ type: 'string', dims: [1], data: ['t: x'] })
  })

  it('tokenize a text', () => {
    const { ids } = tokenize({ text: { type: 'string', dims: [], data: ['one two one'] } })
    expect(ids.dims).toEqual([3])
    expect(ids.data[0]).toBe(ids.data[2])
  })

  it('put the candidates in order, or none', () => {
    const title = { type: 'string' as const, dims: [3], data: ['a', 'b', 'c'] }
    const score = { type: 'float32' as const, dims: [3], data: Float32Array.of(0.25, 0.75, 0.5) }
    const { ranked, scores, found } = bestFirst({ title, score })
    expect(ranked.data).toEqual(['b', 'c', 'a'])
    expect([...scores.data]).toEqual([0.75, 0.5, 0.25])
    expect(found.data).toEqual(['a', 'b', 'c'])
    const none = bestFirst({
      title: { type: 'string', dims: [0], data: [] },
      score: { type: 'float32', dims: [0], data: new Float32Array() },
    })
    expect(none.ranked).toEqual({ type: 'string', dims: [0], data: [] })
  })
})

describe('the store', () => {
  const live = new AbortController().signal
  const axis = (index: number) =>
    Float32Array.from({ length: embeddingSize }, (_, at) => (at === index ? 1 : 0.1))
  let store: Store

  beforeAll(async () => {
    const some = Array.from({ length: 10 }, (_, index) => ({
      title: `t${index}`,
      text: `text ${index}`,
      embedding: axis(index),
    }))
    store = await Store.open(some)
  })
  afterAll(() => store.close())

  it('finds what is nearest, nearest first', async () => {
    const found = await store.search({ near: axis(3), count: 4, signal: live })
    expect(found).toHaveLength(4)
    expect(found[0]).toMatchObject({ title: 't3', text: 'text 3' })
    expect(found[0]?.similarity).toBeCloseTo(1)
    expect(found[1]?.similarity).toBeLessThan(0.9)
  })

  it('searches side by side', async () => {
    const all = [0, 1, 2, 3, 4, 5, 6, 7].map((index) =>
      store.search({ near: axis(index), count: 1, signal: live }),
    )
    const titles = (await Promise.all(all)).map(([found]) => found?.title)
    expect(titles).toEqual(['t0', 't1', 't2', 't3', 't4', 't5', 't6', 't7'])
  })

  it('stops a search that is aborted, and no other', async () => {
    const controller = new AbortController()
    const search = store.search({ near: axis(1), count: 1, signal: controller.signal })
    const other = store.search({ near: axis(2), count: 1, signal: live })
    controller.abort()
    // It may have been done by then.
    await expect(search.catch(({ message }: Error) => message)).resolves.toBeDefined()
    expect((await other).map(({ title }) => title)).toEqual(['t2'])
    expect(await store.search({ near: axis(1), count: 1, signal: live })).toHaveLength(1)
  })

  it('does not begin what was aborted, and goes on', async () => {
    const search = store.search({ near: axis(1), count: 1, signal: AbortSignal.abort() })
    await expect(search).rejects.toThrow('aborted')
    expect(await store.search({ near: axis(1), count: 1, signal: live })).toHaveLength(1)
  })
})

describe('the models', () => {
  it.each([
    ['encoder', encoderModel],
    ['reranker', rerankerModel],
  ])('%s.onnx is what make-models.ts makes', (name, make) => {
    expect(Buffer.compare(readFileSync(modelFile(name)), make())).toBe(0)
  })

  it('give the same for a text and the text with padding', async () => {
    const { embed, score } = await loadModels()
    const passage = tokenIds('Creates a unique temporary directory')
    const query = tokenIds('temporary directory')
    const [alone, among] = [await embed(passage), await embed(padded(passage, 9))]
    expect(Math.max(...alone.map((value, at) => Math.abs(value - (among[at] ?? 0))))).toBeLessThan(
      1e-5,
    )
    expect(await score(padded(query, 5), padded(passage, 9))).toBeCloseTo(
      await score(query, passage),
      5,
    )
  })

  it('find better with the reranker than without', async () => {
    const ranks = await rankAll()
    expect(meanReciprocalRank(ranks.search)).toBeGreaterThan(0.4)
    expect(meanReciprocalRank(ranks.rerank)).toBeGreaterThan(meanReciprocalRank(ranks.search) + 0.1)
  })
})

const modelFile = (name: string) =>
  new URL(`../../examples/03-retrieval/models/${name}.onnx`, import.meta.url)

function padded(ids: BigInt64Array, padding: number): BigInt64Array {
  return BigInt64Array.from([...ids, ...Array<bigint>(padding).fill(0n)])
}

/** The models as ONNX Runtime itself runs them, one text at a time. */
async function loadModels() {
  const session = (name: string) => InferenceSession.create(readFileSync(modelFile(name)))
  const [encoder, reranker] = await Promise.all([session('encoder'), session('reranker')])
  const row = (ids: BigInt64Array) => new Tensor('int64', ids, [1, ids.length])
  const numbers = (tensor: Tensor | undefined) => tensor?.data as Float32Array
  return {
    embed: async (ids: BigInt64Array) => {
      const { embedding } = await encoder.run({ ids: row(ids) })
      return numbers(embedding)
    },
    score: async (query: BigInt64Array, passage: BigInt64Array) => {
      const { score } = await reranker.run({ query: row(query), passage: row(passage) })
      return Number(numbers(score)[0])
    },
  }
}

/** The ranks of the answers to all questions, by exact search and after reranking of the first 20. */
async function rankAll() {
  const { embed, score } = await loadModels()
  const passages = await Promise.all(
    readPassages().map(async (passage) => {
      const ids = tokenIds(searchedText(passage))
      return { title: passage.title, ids, embedding: await embed(ids) }
    }),
  )
  const ranks: Record<'search' | 'rerank', number[]> = { search: [], rerank: [] }
  for (const { query, answers } of readQuestions()) {
    const ids = tokenIds(query)
    const near = await embed(ids)
    const found = best(passages, ({ embedding }) => cosine(near, embedding)).slice(0, 20)
    const scores = new Map<string, number>()
    for (const passage of found) scores.set(passage.title, await score(ids, passage.ids))
    const ranked = best(found, ({ title }) => scores.get(title) ?? 0)
    ranks.search.push(rankOf(titlesOf(found), answers))
    ranks.rerank.push(rankOf(titlesOf(ranked), answers))
  }
  return ranks
}

const titlesOf = (passages: { title: string }[]) => passages.map(({ title }) => title)

const cosine = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

function best<Item>(items: readonly Item[], scoreOf: (item: Item) => number): Item[] {
  return items
    .map((item) => ({ item, value: scoreOf(item) }))
    .sort((a, b) => b.value - a.value)
    .map(({ item }) => item)
}
