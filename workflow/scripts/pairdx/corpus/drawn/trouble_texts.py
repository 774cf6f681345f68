"""The texts that the demo corpus plants: captions, list columns, image types and a web page."""

from __future__ import annotations

BROKEN_LISTS = ("['Fig. 1'", "Fig. 1", "{'a': 1}", "__import__('os').getcwd()")
UNKNOWN_TYPES = ("hologram", "thermogram", "sketch")
# {} is the caption that the file would have had.
CAPTIONS: dict[str, tuple[str, ...]] = {
    "caption_name": (
        "{} Courtesy of Dr. Maria Keller.",
        "Mr. Tom Baker, seen in our clinic. {}",
        "{} Image provided by Prof. Anna Lindqvist.",
        "{} Mrs. Helen Osei agreed to publication.",
        "{} The operation was done by Dr. Paul Novak.",
        "Ms. Laura Petit at follow-up. {}",
    ),
    "caption_date": (
        "Findings on 12 March 2019. {}",
        "{} Taken 03/04/2018.",
        "{} Seen again on January 7, 2021.",
        "{} (2016-11-23)",
        "State on 5th June 2014. {}",
        "{} Last visit 21.09.2017.",
    ),
    "caption_record_number": (
        "{} MRN 00482913.",
        "{} (patient ID: 7734102)",
        "MRN: 51200934. {}",
        "{} Hospital number 20957714.",
        "Patient ID 3390817. {}",
        "{} Medical record number 660128.",
    ),
    "caption_phone": (
        "{} Tel. 0181 496 0123.",
        "Call the clinic on (555) 010-0142. {}",
        "{} Fax: +44 20 7946 0018.",
        "{} Phone 555-010-0177.",
        "Mobile: 0770 0900 123. {}",
        "{} Telephone number 0163 296 0456.",
    ),
    "caption_email": (
        "{} Contact: author@clinic.example.",
        "{} (images@hospital.example.org)",
        "Write to records@ward.example.com. {}",
        "{} Requests to first.last@unit.example.net",
    ),
    "caption_url": (
        "{} More at https://atlas.example.org/case/12.",
        "{} See www.images.example.com/7 for the film.",
        "Taken from http://archive.example.net/p/3: {}",
        "{} (atlas.example.org/figures)",
    ),
    "caption_initials": (
        "A.B., a 54-year-old patient. {}",
        "{} Patient K.M., 62 years.",
        "{} Initials: R.T.",
        "J. S., 45/M. {}",
    ),
    "boilerplate_caption": (
        "Figure 2 (a).",
        "See text for details.",
        "Click here for additional data file.",
        "Fig. 3B",
        "(A)",
        "Image 4, continued.",
    ),
    "caption_markup": (
        "<b>Case</b> {}",
        "{}<script>alert(1)</script>",
        "{} <img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">Figure</a> {}',
        "{}<br/>",
        "<i>{}</i>",
    ),
    "empty_caption": ("", "   "),
    "emoji_in_caption": ("{} 🫀", "🩺 {}", "{} 👁️", "{} 🫁"),
}
ERROR_PAGE = (
    "<!DOCTYPE html><html><head><title>404 Not Found</title></head>"
    "<body><h1>Not Found</h1><p>{} was not found on this server.</p></body></html>\n"
)
