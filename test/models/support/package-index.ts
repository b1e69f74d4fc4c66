import { sendFile, TestServer } from './file-server.js';
import { sha256 } from './setup.js';

export interface IndexedFile {
  filename: string;
  bytes: Buffer;
  /** Instead of the true one. */
  sha256?: string;
  yanked?: boolean;
}

/** A package index that answers in simple-index JSON (PEP 691) below /simple/. */
export async function startIndex(projects: Record<string, IndexedFile[]>): Promise<TestServer> {
  return TestServer.start((request, response) => {
    const [, kind, project = '', filename] = request.url!.split('/');
    const files = projects[project];
    if (files === undefined) return void response.writeHead(404).end();
    if (kind === 'simple') return void response.end(JSON.stringify(projectPage(project, files)));
    sendFile(request, response, {
      body: files.find((file) => file.filename === filename)!.bytes,
      etag: `"${filename}"`,
    });
  });
}

function projectPage(project: string, files: IndexedFile[]) {
  return {
    meta: { 'api-version': '1.1' },
    name: project,
    files: files.map((file) => ({
      filename: file.filename,
      url: `../../files/${project}/${file.filename}`,
      hashes: { sha256: file.sha256 ?? sha256(file.bytes) },
      size: file.bytes.length,
      yanked: file.yanked ?? false,
    })),
  };
}
