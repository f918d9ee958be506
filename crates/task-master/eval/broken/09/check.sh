node words.test.js
