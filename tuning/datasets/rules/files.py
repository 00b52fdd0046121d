"""Rules for the file as a whole and across its rows."""

from __future__ import annotations

from tuning.datasets.rules.rule import GUIDE, JSON_RFC, ONE_A_LINE, RFT, SILENT, VISION, Rule, error, warning

RULES: tuple[Rule, ...] = (
    error("empty_file", "The file is empty", "drop a file with one JSON object on each line", ONE_A_LINE),
    error("no_rows", "The file holds only blank lines", "put one JSON object on each line", ONE_A_LINE),
    error(
        "html_page",
        "The file is a web page (HTML), not training data",
        "download the file itself: a login or preview page was saved in its place",
        ONE_A_LINE,
    ),
    error("xml_file", "The file is XML, not JSON Lines", "export it as JSON Lines (.jsonl)", ONE_A_LINE),
    error(
        "json_array",
        "The file is one JSON list, not one object a line",
        "write each object of the list on its own line, without the outer brackets and commas",
        ONE_A_LINE,
    ),
    error(
        "pretty_printed",
        "The objects are spread over several lines",
        "write each object on one line, with no line breaks between its parts",
        ONE_A_LINE,
    ),
    error(
        "csv_file",
        "The file is a table (CSV), not JSON Lines",
        "turn each table row into a chat example and save as .jsonl, or say what its columns hold",
        ONE_A_LINE,
    ),
    error(
        "plain_text",
        "The file is plain text, not JSON Lines",
        "write each example as a JSON object with a `messages` list on its own line",
        ONE_A_LINE,
    ),
    error(
        "utf16",
        "The file is saved as UTF-16, not UTF-8",
        "save it again with the encoding UTF-8",
        f"{JSON_RFC}, 8.1",
    ),
    error(
        "utf32",
        "The file is saved as UTF-32, not UTF-8",
        "save it again with the encoding UTF-8",
        f"{JSON_RFC}, 8.1",
    ),
    error(
        "gzip_file",
        "The file is compressed (gzip)",
        "drop the .jsonl inside, or let it be repaired: the copy is unpacked",
        ONE_A_LINE,
    ),
    error(
        "zip_file",
        "The file is a zip archive or an Office document",
        "unpack it, or export as .jsonl",
        ONE_A_LINE,
    ),
    error(
        "parquet_file",
        "The file is Parquet, not JSON Lines",
        "export it as JSON Lines (.jsonl), or let it be repaired",
        ONE_A_LINE,
    ),
    error("binary_file", "The file is not text", "drop a text file with one JSON object a line", ONE_A_LINE),
    error(
        "too_few_examples",
        "Only [1 example|{n} examples]; training needs at least 10",
        "add examples; 50 to 100 good ones show an effect",
        "OpenAI job error invalid_n_examples: must have at least 10 examples",
    ),
    error(
        "too_many_examples",
        "The file holds more examples than the provider takes",
        "keep the best of them",
        f"{RFT}: 50,000 rows, and 1,000 to validate; the profile of the provider",
    ),
    error(
        "too_many_pictured",
        "More examples have pictures than the provider takes",
        "keep the best of them",
        f"{VISION}: 50,000; the profile of the provider",
    ),
    error(
        "file_too_large",
        "The file is larger than the provider takes",
        "split it or drop the rows that matter less",
        "OpenAI Files API: 512 MB, Uploads API: 8 GB in all; the profile of the provider",
    ),
    warning(
        "few_examples",
        "[1 example|{n} examples] is a small set; an effect usually shows with 50 to 100",
        "add more examples if you can",
        f"{GUIDE}: 50 to 100 examples show an effect",
    ),
    warning(
        "bom",
        "The file begins with a byte order mark (BOM)",
        "save it as UTF-8 without BOM: JSON's standard forbids it, one provider wants it, others are silent",
        f"{JSON_RFC}, 8.1 forbids it; {SILENT}",
    ),
    warning(
        "crlf",
        "Lines end in the Windows way (CR LF)",
        "nothing to do; LF alone is the safer form, though no document says so",
        SILENT,
    ),
    warning(
        "cr_line_endings",
        "[1 line ends|{n} lines end] in a lone carriage return (old Mac way)",
        "save the file with LF line endings; no document says whether a lone CR ends a line",
        SILENT,
    ),
    warning(
        "blank_lines",
        "[1 line is|{n} lines are] blank",
        "delete the blank lines; no document says whether they are taken",
        SILENT,
    ),
    warning(
        "duplicate_examples",
        "[1 row repeats|{n} rows repeat] an earlier one exactly",
        "delete the repeats unless they are meant to weigh more",
        "OpenAI 0.28 prepare_data: duplicate rows",
    ),
    error(
        "validation_overlap",
        "[1 row is|{n} rows are] also in the training file",
        "remove them here or there; a score on rows seen in training means nothing",
        "OpenAI API reference: training and validation data must not overlap",
    ),
    error(
        "validation_columns",
        "[1 row has|{n} rows have] other columns than the rows of the training file",
        "give both files the same columns: the grader reads them by name",
        f"{RFT}: the validation file has the same columns as the training file",
    ),
    warning(
        "over_token_limit",
        "[1 row is|{n} rows are] longer than the base's token limit; the rest is cut off",
        "shorten or split them",
        f"{GUIDE}: over-long examples are truncated from the end",
    ),
)
