import type { Recogniser } from '../../finding.js';
import { assignedSecrets } from '../secrets/assigned.js';
import { privateKeys } from '../secrets/private-key.js';
import { tokens } from '../secrets/tokens.js';
import { urlCredentials } from '../secrets/url-credentials.js';
import { creditCard } from './credit-card.js';
import { dateOfBirth } from './date-of-birth.js';
import { email } from './email.js';
import { iban } from './iban.js';
import { ipv4, ipv6 } from './ip-address.js';
import { nationalIds } from './national-ids.js';
import { defaultPhoneRegions, phoneRecogniser } from './phone.js';
import { streetAddress } from './street-address.js';

export interface PiiOptions {
  /** ISO 3166 codes: whose national phone numbers are known. Numbers with + are known everywhere. */
  phoneRegions: Parameters<typeof phoneRecogniser>[0];
}

export function piiRecognisers(
  { phoneRegions }: PiiOptions = { phoneRegions: defaultPhoneRegions },
): Recogniser[] {
  return [
    email,
    creditCard,
    iban,
    nationalIds,
    phoneRecogniser(phoneRegions),
    ipv4,
    ipv6,
    dateOfBirth,
    streetAddress,
  ];
}

export const secretRecognisers: readonly Recogniser[] = [
  tokens,
  privateKeys,
  assignedSecrets,
  urlCredentials,
];
