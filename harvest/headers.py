"""Headers of our own beside those of the WARC standard, and the standard's names for the two kinds of revisit.

Other readers pass over them; nothing that the standard asks for is missing without them.
"""

from __future__ import annotations

SERVER_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
IDENTICAL_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"

# on an answer that is archived as far as it was taken; the value is why the rest is not there
TRUNCATED = "WARC-Truncated"

# the place of a revisit's original, as `000001.warc.gz;1234`: its address and date are found only by searching
REFERS_TO = "Moisson-Refers-To"
# the place of a revisit's request, when the archive held the very same one before; NO_REQUEST when an answer has none
SAME_REQUEST = "Moisson-Request"
NO_REQUEST = "none"
# an answer 304 as it was received, line ends and what is not ASCII percent-encoded
ANSWER = "Moisson-Answer"
# the interim answers (1xx) that came before an answer, written in the same way: readers of WARCs would take the first
# of them for the answer, and the answer for its body
INTERIM = "Moisson-Interim"
# on a record out of a foreign WARC: that file's name, percent-encoded, its digest, and the record's identifier there,
# as `old.warc.gz;sha256:9f86…;urn:uuid:…`
IMPORTED_FROM = "Moisson-Imported-From"
# on a record whose content was taken out on purpose: when that was said
REDACTED = "Moisson-Redacted"
