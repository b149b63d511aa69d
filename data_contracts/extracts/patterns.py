"""Forms that values take, each with where the form comes from."""

# A reference starts with a letter or digit and holds no blanks (checks F02).
REFERENCE = r"^[A-Za-z0-9][A-Za-z0-9/_.:-]{1,39}$"

# Register codes of reporting bodies: ONS police force area codes, or an FBI ORI.
FORCE_CODE = r"^[A-Z][A-Z0-9]{8}$"

# UK Government Data Standards Catalogue form of a postcode, after upper-casing.
POSTCODE = r"^(GIR ?0AA|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2})$"
POSTCODE_SECTOR = r"^[A-Z]{1,2}[0-9][A-Z0-9]? [0-9]$"

# YYYY/NNNNNNNX: year, serial without leading zeros allowed, check letter (rule `pnc_check_letter_wrong`).
PNC_ID = r"^[0-9]{4}/[0-9]{1,7}[A-Z]$"
# NNNNNN/YYX, or SF (small file) numbers.
CRO_NUMBER = r"^(SF[0-9]{2}/[0-9]{1,6}[A-Z]|[0-9]{1,6}/[0-9]{2}[A-Z])$"
PHONE = r"^\+?[0-9]{7,15}$"
