// The requests of README.md, for both examples: printed for curl, or asked from here.
import { readFileSync } from 'node:fs'

const picture = 'examples/06-fastify/data/digit.png'

/** @param {string} url where the server listens */
export function printRequests(url) {
  console.log(`curl -H 'content-type: image/png' --data-binary @${picture} ${url}/digits`)
  console.log(`curl ${url}/health/ready`)
  console.log(`curl ${url}/inference/v2/models/digits`)
  console.log(`curl ${url}/metrics`)
  console.log(`npx millrace top ${url}/live    # or look at ${url}/live/ in a browser`)
}

/** Prints the status of each answer and how it begins. @param {string} url where the server listens */
export async function ask(url) {
  const headers = { 'content-type': 'image/png' }
  const body = readFileSync(new URL('data/digit.png', import.meta.url))
  const answers = [
    await fetch(`${url}/digits`, { method: 'POST', headers, body }),
    await fetch(`${url}/health/ready`),
    await fetch(`${url}/inference/v2/models/digits`),
    await fetch(`${url}/metrics`),
    await fetch(`${url}/live`), // sent on to /live/
  ]
  for (const answer of answers) console.log(answer.status, (await answer.text()).slice(0, 200))
}
