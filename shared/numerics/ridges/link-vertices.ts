/** Undirected paths through vertices that have at most two neighbours each. */

/** The neighbours of every vertex: two places a vertex, −1 where there is none. */
export type Links = number[];

export function connect(links: Links, a: number, b: number): void {
  links[links[2 * a] === -1 ? 2 * a : 2 * a + 1] = b;
  links[links[2 * b] === -1 ? 2 * b : 2 * b + 1] = a;
}

/** All paths of two or more vertices, open ones first; a loop repeats its first vertex. */
export function pathsThrough(links: Links): number[][] {
  const isVisited = new Uint8Array(links.length / 2);
  const paths: number[][] = [];
  const follow = (start: number) => {
    const path = [start];
    isVisited[start] = 1;
    for (let at = start; ; ) {
      const following = [links[2 * at]!, links[2 * at + 1]!].find((v) => v >= 0 && !isVisited[v]);
      if (following === undefined) break;
      isVisited[following] = 1;
      path.push(following);
      at = following;
    }
    return path;
  };
  for (let vertex = 0; vertex < isVisited.length; vertex++) {
    const isEnd = links[2 * vertex + 1] === -1 && links[2 * vertex] !== -1;
    if (isEnd && !isVisited[vertex]) paths.push(follow(vertex));
  }
  for (let vertex = 0; vertex < isVisited.length; vertex++) {
    if (!isVisited[vertex] && links[2 * vertex] !== -1) paths.push([...follow(vertex), vertex]);
  }
  return paths;
}
