node ranking.test.js
