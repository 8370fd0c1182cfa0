"""A document as one web page that needs nothing else: styles and pictures inside, fit to print."""

import base64
from typing import Final

from jinja2 import Environment

from panhuo.report.document import Document, with_blanks

STYLE: Final = """
:root{--ink:#1f2933;--muted:#667085;--line:#d5dbe1;--head:#eef2f6;--good:#1e7b45;--warn:#b35c00;--bad:#b42318}
*{box-sizing:border-box}body{margin:0;background:#f5f7f9;color:var(--ink);
font:15px/1.65 "Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei","PingFang SC",sans-serif}
main{max-width:920px;margin:2rem auto;background:#fff;padding:2.5rem 3rem;border-radius:8px;box-shadow:0 1px 3px #0002}
h1{font-size:1.6rem;text-align:center;margin:0}.sub{text-align:center;color:var(--muted);margin:.3rem 0 1.5rem}
h2{font-size:1.15rem;border-left:4px solid #8c1d18;padding-left:.6rem;margin:1.8rem 0 .7rem}h3{font-size:1rem;margin:1.2rem 0 .4rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.86rem}th,td{border:1px solid var(--line);
padding:.38rem .5rem;text-align:left;vertical-align:top}th{background:var(--head);font-weight:600;white-space:nowrap}
figure{margin:1rem auto;text-align:center}figure img{max-width:100%}figcaption{color:var(--muted);font-size:.85rem}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.muted{color:var(--muted)}
.official{text-indent:2em}.official.flush{text-indent:0}.official.right{text-align:right}.official.head{font-weight:700}
footer{margin-top:2rem;padding-top:.8rem;border-top:1px solid var(--line);color:var(--muted);font-size:.75rem;overflow-wrap:anywhere}
@media(max-width:640px){main{margin:0;padding:1.2rem 1rem;border-radius:0}td{min-width:4.5em}}
@media print{body{background:#fff}main{box-shadow:none;margin:0;max-width:none;padding:0}tr{break-inside:avoid}}
"""
PAGE: Final = """<!doctype html>
<html lang="{{ 'zh-CN' if document.lang == 'zh' else 'en' }}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{{ document.title }}</title>
<style>{{ style }}</style></head><body><main><h1>{{ document.title }}</h1><p class="sub">{{ document.subtitle }}</p>
{%- for block in document.blocks %}{% set kind = block.__class__.__name__ %}
{%- if kind == 'Heading' %}<h{{ block.level + 1 }}>{{ block.text }}</h{{ block.level + 1 }}>
{%- elif kind == 'Official' %}<p class="official {{ block.place }}">{% for piece, blank in block.text | blanks %}{% if blank %}<mark>{{ piece }}</mark>{% else %}{{ piece }}{% endif %}{% endfor %}</p>
{%- elif kind == 'Paragraph' %}<p class="{{ block.tone }}">{{ block.text }}</p>
{%- elif kind == 'Bullets' %}<ul>{% for item in block['items'] %}<li>{{ item }}</li>{% endfor %}</ul>
{%- elif kind == 'Picture' %}<figure style="width:{{ block.width * 100 }}%"><img alt="{{ block.caption }}"
 src="data:image/png;base64,{{ block.png | b64 }}"><figcaption>{{ block.caption }}</figcaption></figure>
{%- elif kind == 'Table' %}<div class="wide"><table><thead><tr>{% for cell in block.header %}<th scope="col"
 style="width:{{ block.widths[loop.index0] * 100 }}%">{{ cell }}</th>{% endfor %}</tr></thead><tbody>
{%- for row in block.rows %}{% set number = loop.index0 %}<tr>{% for cell in row %}<td
 class="{{ block.tones.get((number, loop.index0), '') }}">{{ cell }}</td>{% endfor %}</tr>{% endfor %}</tbody></table></div>
{%- endif %}{% endfor %}<footer>{{ document.footer }}</footer></main></body></html>
"""


def to_html(document: Document) -> bytes:
    """The document as UTF-8 HTML; every text is escaped."""
    environment = Environment(autoescape=True)
    environment.filters["blanks"] = with_blanks
    environment.filters["b64"] = lambda png: base64.b64encode(png).decode()
    return environment.from_string(PAGE).render(document=document, style=STYLE).encode()
