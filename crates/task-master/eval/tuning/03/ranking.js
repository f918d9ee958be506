// The scores, the best first.
function ranking(scores) {
  return [...scores].sort().reverse();
}

module.exports = { ranking };
