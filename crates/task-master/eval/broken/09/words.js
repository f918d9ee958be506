// The longest word of a text; the first one of several.
function longest(text) {
  let best = '';
  for (const word of text.split(/\s+/)) {
    if (word.lenght > best.lenght) {
      best = word;
    }
  }
  return best;
}

module.exports = { longest };
