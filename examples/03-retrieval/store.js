// The passages in libSQL, SQLite with a vector index: here in memory, in an application a file.
import Database from 'libsql/promise'
import { embeddingSize } from './tokens.js'

const nearest = `
  SELECT passages.title, passages.text, 1 - vector_distance_cos(passages.embedding, :near) AS similarity
  FROM vector_top_k('passages_by_embedding', :near, :count) AS found JOIN passages ON passages.id = found.id
  ORDER BY similarity DESC`

/**
 * @typedef {import('./passages.js').Passage} Passage
 * @typedef {Passage & { similarity: number }} Found `similarity` is the cosine of the angle between the embeddings.
 */

/** Searches may run side by side: each has a statement of its own, which the next one takes over. */
export class Store {
  /** @type {Awaited<ReturnType<Database['prepare']>>[]} */
  #idle = []
  #database

  /** @param {Database} database */
  constructor(database) {
    this.#database = database
  }

  /** @param {(Passage & { embedding: Float32Array })[]} passages */
  static async open(passages) {
    const database = new Database(':memory:', {})
    await database.exec(`
      CREATE TABLE passages (id INTEGER PRIMARY KEY, title TEXT, text TEXT, embedding F32_BLOB(${embeddingSize}));
      CREATE INDEX passages_by_embedding ON passages (libsql_vector_idx(embedding));`)
    const insert = await database.prepare(
      'INSERT INTO passages (title, text, embedding) VALUES (?, ?, ?)',
    )
    await database.exec('BEGIN')
    for (const { title, text, embedding } of passages) {
      await insert.run(title, text, bytesOf(embedding))
    }
    await database.exec('COMMIT')
    return new Store(database)
  }

  /**
   * The passages nearest to an embedding, nearest first. The index is approximate: it may miss one.
   *
   * @param {{ near: Float32Array, count: number, signal: AbortSignal }} options An abort interrupts the search.
   * @returns {Promise<Found[]>}
   */
  async search({ near, count, signal }) {
    signal.throwIfAborted()
    const statement = this.#idle.pop() ?? (await this.#database.prepare(nearest))
    const interrupt = () => statement.interrupt()
    signal.addEventListener('abort', interrupt, { once: true })
    try {
      return await statement.all({ near: bytesOf(near), count })
    } finally {
      signal.removeEventListener('abort', interrupt)
      this.#idle.push(statement)
    }
  }

  close() {
    this.#database.close()
  }
}

/** What F32_BLOB holds. @param {Float32Array} embedding */
function bytesOf({ buffer, byteOffset, byteLength }) {
  return Buffer.from(buffer, byteOffset, byteLength)
}
