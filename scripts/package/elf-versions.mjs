// Which versions of which libraries a Linux binary asks for: what it will not load without.
import { readFileSync } from 'node:fs'

const versionNeeds = 0x6ffffffe
const dynamic = 6
const needed = 1n

/**
 * @typedef {{ type: number, offset: number, size: number, link: number, count: number }} Section
 * @typedef {{ libraries: string[], versions: string[] }} Needs versions: such as GLIBC_2.17, each once
 */

/**
 * @param {string} path a 64-bit little-endian ELF file
 * @returns {Needs}
 */
export function elfNeeds(path) {
  const file = readFileSync(path)
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new Error(`${path}: expected a 64-bit little-endian ELF file`)
  }
  const sections = sectionsOf(file)
  const of = (/** @type {number} */ type) => sections.filter((section) => section.type === type)
  const versions = of(versionNeeds).flatMap((section) => versionsOf(file, { section, sections }))
  const libraries = of(dynamic).flatMap((section) => librariesOf(file, { section, sections }))
  return { libraries, versions: [...new Set(versions)].sort() }
}

/**
 * The newest version of a family, such as `GLIBC`, as numbers; undefined where none is asked for.
 * @param {Needs} needs @param {string} family
 * @returns {number[] | undefined}
 */
export function newestVersion({ versions }, family) {
  return versions
    .filter((version) => version.startsWith(`${family}_`) && /_\d/.test(version))
    .map((version) =>
      version
        .slice(family.length + 1)
        .split('.')
        .map(Number),
    )
    .sort(compareVersions)
    .at(-1)
}

/** @param {number[]} a @param {number[]} b */
export function compareVersions(a, b) {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** @param {Buffer} file @returns {Section[]} */
function sectionsOf(file) {
  const start = Number(file.readBigUInt64LE(0x28))
  const [entrySize, entries] = [file.readUInt16LE(0x3a), file.readUInt16LE(0x3c)]
  return Array.from({ length: entries }, (_, index) => {
    const at = start + index * entrySize
    return {
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 0x18)),
      size: Number(file.readBigUInt64LE(at + 0x20)),
      link: file.readUInt32LE(at + 0x28),
      count: file.readUInt32LE(at + 0x2c),
    }
  })
}

/** @param {Buffer} file @param {{ section: Section, sections: Section[] }} options */
function versionsOf(file, { section, sections }) {
  const names = []
  let at = section.offset
  for (let library = 0; library < section.count; library++) {
    let version = at + file.readUInt32LE(at + 8)
    for (let left = file.readUInt16LE(at + 2); left > 0; left--) {
      names.push(textAt(file, sections[section.link], file.readUInt32LE(version + 8)))
      version += file.readUInt32LE(version + 12)
    }
    at += file.readUInt32LE(at + 12)
  }
  return names
}

/** @param {Buffer} file @param {{ section: Section, sections: Section[] }} options */
function librariesOf(file, { section, sections }) {
  const names = []
  for (let at = section.offset; at < section.offset + section.size; at += 16) {
    if (file.readBigUInt64LE(at) !== needed) continue
    names.push(textAt(file, sections[section.link], Number(file.readBigUInt64LE(at + 8))))
  }
  return names
}

/** @param {Buffer} file @param {Section | undefined} strings @param {number} offset */
function textAt(file, strings, offset) {
  const start = (strings?.offset ?? 0) + offset
  return file.toString('latin1', start, file.indexOf(0, start))
}
