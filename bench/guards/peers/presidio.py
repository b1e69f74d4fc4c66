"""Runs Presidio's pattern recognisers, without a language model, over texts. In: JSON list of texts on stdin. Out: JSON on stdout."""

import json
import sys
import time

import tldextract
from presidio_analyzer import predefined_recognizers as predefined

TYPES = {
    "EmailRecognizer": "email",
    "PhoneRecognizer": "phone",
    "CreditCardRecognizer": "credit_card",
    "IbanRecognizer": "iban",
    "IpRecognizer": "ip_address",
    "UsSsnRecognizer": "us_ssn",
    "NhsRecognizer": "national_id",
    "UkNinoRecognizer": "national_id",
    "EsNifRecognizer": "national_id",
    "EsNieRecognizer": "national_id",
    "DeTaxIdRecognizer": "national_id",
    "PlPeselRecognizer": "national_id",
    "InAadhaarRecognizer": "national_id",
    "FiPersonalIdentityCodeRecognizer": "national_id",
    "CaSinRecognizer": "national_id",
    "SePersonnummerRecognizer": "national_id",
    "AuTfnRecognizer": "national_id",
    "SgFinRecognizer": "national_id",
}


def main() -> None:
    # The list of suffixes that comes with the package, instead of a download at the first address.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    recognisers = [(getattr(predefined, name)(), kind) for name, kind in TYPES.items()]
    texts = json.load(sys.stdin)
    for text in texts[:50]:  # warm: compiled patterns, phone metadata
        analyse(recognisers, text)
    results = []
    for text in texts:
        start = time.perf_counter()
        found = analyse(recognisers, text)
        results.append({"micros": (time.perf_counter() - start) * 1e6, "found": found})
    json.dump(results, sys.stdout)


def analyse(recognisers, text):
    return [
        {"start": result.start, "end": result.end, "type": kind, "score": result.score}
        for recogniser, kind in recognisers
        for result in recogniser.analyze(text, recogniser.supported_entities, None) or []
    ]


main()
