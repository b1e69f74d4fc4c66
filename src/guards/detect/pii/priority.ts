/** Where two findings are alike in every other way, the earlier named category stays. */
export const piiPriority: readonly string[] = [
  'private_key',
  'jwt',
  'api_key',
  'cloud_token',
  'credential',
  'credit_card',
  'iban',
  'email',
  'date_of_birth',
  'phone',
];
