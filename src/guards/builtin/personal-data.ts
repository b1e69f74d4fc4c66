import { type CountryCode, isSupportedCountry } from 'libphonenumber-js/min';
import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { piiRecognisers, secretRecognisers } from '../detect/pii/index.js';
import { defaultPhoneRegions } from '../detect/pii/phone.js';
import { type Detector, recogniserDetector } from '../detector.js';

const piiOptions = z.strictObject({
  phoneRegions: z
    .array(
      z.custom<CountryCode>((code) => isSupportedCountry(String(code)), 'expected ISO 3166 codes such as DE'),
    )
    .min(1)
    .default([...defaultPhoneRegions]),
});

export function piiDetector(use: GuardUse): Detector {
  const { phoneRegions } = piiOptions.parse(use.options);
  return recogniserDetector(piiRecognisers({ phoneRegions }), use);
}

export function secretDetector(use: GuardUse): Detector {
  z.strictObject({}).parse(use.options);
  return recogniserDetector(secretRecognisers, use);
}
