/**
 * A copy with further fields. For what happens to every request or event, instead of a literal that begins with a spread: V8
 * (Node 20) makes a hidden class for each object that gets a new field after that, at 0.6 µs and some hundred bytes that live on.
 */
export function withFields<Given extends object, More extends object>(
  given: Given,
  more: More,
): Given & More {
  return Object.assign({}, given, more);
}
