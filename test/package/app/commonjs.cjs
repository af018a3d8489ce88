const { Engine, MillraceError } = require('millrace')
const { accuracy } = require('./accuracy.mjs')

if (!MillraceError.is(new MillraceError({ code: 'MILLRACE_CLOSED', message: '' }))) throw Engine
accuracy().then((result) => console.log(JSON.stringify(result)))
