// Which key was pressed, on whatever keyboard.

// The letter, digit or name of the key. Where the layout has something else at the place of a digit (the upper row in
// French), or no Latin letters at all, the place counts, as on the keyboard that the buttons speak of.
export function keyOf({ key, code, shiftKey }) {
  if (key.length > 1 || /^[1-9]$/.test(key)) return key;
  const digit = !shiftKey && /^(?:Digit|Numpad)([1-9])$/.exec(code);
  const letter = /\p{L}/u.test(key) && !/\p{Script=Latin}/u.test(key) && /^Key([A-Z])$/.exec(code);
  return (digit || letter || [key, key])[1].toLowerCase();
}
