import { deflateRawSync } from 'node:zlib';

/**
 * A zip file of these members, deflated (APPNOTE 6.3.10: local headers, central directory, end record). Checksums are
 * left 0: the wheels' readers go by the index's sha256.
 */
export function buildZip(members: Record<string, Buffer | string>): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(members)) {
    const nameBytes = Buffer.from(name);
    const plain = Buffer.from(content);
    const packed = deflateRawSync(plain);
    // Version, flags, method (8: deflate), time, date, CRC, sizes, name length, extra length.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(plain.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, nameBytes, packed]);
    const tail = Buffer.alloc(14); // comment length, disk, attributes, offset of the local header
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, nameBytes]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(locals.length, 8);
  end.writeUInt16LE(locals.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

/** A wheel named `name`-`version` with this payload and these exact requirements. */
export function buildWheel(
  name: string,
  version: string,
  payload: Record<string, Buffer | string>,
  requirements: string[] = [],
): { filename: string; bytes: Buffer } {
  const module = name.replaceAll('-', '_');
  const metadata = [
    'Metadata-Version: 2.4',
    `Name: ${name}`,
    `Version: ${version}`,
    ...requirements.map((requirement) => `Requires-Dist: ${requirement}`),
    '',
    'A description that mentions Requires-Dist: evil==1.0 in its text.',
  ].join('\n');
  const members: Record<string, Buffer | string> = { [`${module}-${version}.dist-info/METADATA`]: metadata };
  for (const [file, content] of Object.entries(payload)) members[`${module}/data/${file}`] = content;
  return { filename: `${module}-${version}-py3-none-any.whl`, bytes: buildZip(members) };
}
