/** Material for a model to judge, between marks. What looks like one is taken out of it. */
export function marked(name: string, text: string): string {
  return `<<<${name}\n${text.replaceAll(/<<<|>>>/g, '')}\n>>>`;
}
