import { accuracy } from './accuracy.mjs'

console.log(JSON.stringify(await accuracy()))
