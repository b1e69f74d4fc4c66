/** Text as it stands in HTML, XML or SVG. What XML has no way to write, lone surrogates too, becomes a space. */
export function escapeMarkup(text: string): string {
  return text
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ' ');
}
