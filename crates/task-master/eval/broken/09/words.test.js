const assert = require('node:assert');
const { longest } = require('./words');

assert.strictEqual(longest('a task list'), 'task');
