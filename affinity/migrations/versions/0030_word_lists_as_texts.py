"""Word lists: each word stands behind its kind, so that it is found in the text before the text is read as JSON.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# JSON as ``pix.snapshot.written`` spells it: without blanks, and characters beyond ASCII as they are.
FLAT = {
    "sqlite": """
        SELECT '[""' || group_concat(item, '') || ']' FROM (
            SELECT ',' || json_quote(kinds.key || ':' || word.value) AS item
            FROM json_each({words}) AS kinds, json_each(kinds.value) AS word ORDER BY kinds.key || ':' || word.value
        )""",
    "postgresql": """
        SELECT '[""' || string_agg(',' || to_json(item), '' ORDER BY item) || ']' FROM (
            SELECT (kinds.key || ':' || word) COLLATE "C" AS item
            FROM jsonb_each({words}::jsonb) AS kinds, jsonb_array_elements_text(kinds.value) AS word
        ) AS items""",
}
BY_KIND = {
    "sqlite": """
        SELECT '{{' || group_concat(json_quote(kind) || ':[' || list || ']', ',') || '}}' FROM (
            SELECT kind, group_concat(json_quote(word), ',') AS list FROM (
                SELECT substr(value, 1, instr(value, ':') - 1) AS kind, substr(value, instr(value, ':') + 1) AS word
                FROM json_each({words}) WHERE value <> '' ORDER BY 1, 2
            ) GROUP BY kind ORDER BY kind
        )""",
    "postgresql": """
        SELECT '{{' || string_agg(to_json(kind) || ':[' || list || ']', ',' ORDER BY kind) || '}}' FROM (
            SELECT kind, string_agg(to_json(word)::text, ',' ORDER BY word) AS list FROM (
                SELECT split_part(value, ':', 1) COLLATE "C" AS kind,
                    substr(value, strpos(value, ':') + 1) COLLATE "C" AS word
                FROM jsonb_array_elements_text({words}::jsonb) AS value WHERE value <> ''
            ) AS items GROUP BY kind
        ) AS lists""",
}


def upgrade() -> None:
    """Apply."""
    _respell(FLAT)


def downgrade() -> None:
    """Take back."""
    _respell(BY_KIND)


def _respell(spelling: dict[str, str]) -> None:
    spelled = spelling[op.get_bind().dialect.name].format(words="pix_wordlist.words")
    op.execute(sa.text(f"UPDATE pix_wordlist SET words = ({spelled})"))
