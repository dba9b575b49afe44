"""What the names of columns mean: the one table of them, for files of any vendor and in the languages that are common.

A name is compared without case, blanks, punctuation and units in brackets, so "Adj Close", "adj_close", "AdjClose" and
"Adj. Close**" are one. More names can be given with `--column close=NAME`.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Dates: a day first, then what mostly holds an instant, then what mostly holds a time of day. The first is taken.
_DATES = (
    """date day tradedate tradingdate tradingday tradedt traddt quotedate pricedate sessiondate asofdate caldt
    dlycaldt datadate dtyyyymmdd yyyymmdd date1 observationdate 日期 交易日期 交易日 成交日期 日付 날짜 일자
    datum fecha data tarih дата""",
    """datetime timestamp ts opentime tsevent windowstart tradetime beginsat begin 时间 時間 日期时间 日時""",
    """time""",
)
# Names of shares: a permanent number first, then a symbol, a code, a name, another agency's code.
_SHARES = (
    """permno""",
    """shareid share symbol ticker tic tickersymbol tscode instrument tckrsymb stockcode stocksymbol securitycode
    stockid sharecode actsymbol 股票代码 证券代码 股票代號 證券代號 銘柄コード 종목코드""",
    """code 代码 代號 コード sid asset assetid security secid orderbookid windcode sccode ric scrip contract paper
    instrumentid""",
    """name stock stockname
    securityname brandname
    companyname company 名称 股票名称 证券简称 股票简称 名稱 銘柄名 종목명""",
    """isin cusip sedol wkn figi""",
)
_CLOSES = """close closing prccd closeprice closingprice priceclose cls clspric closelast dlyclose endprice 收盘 收盘价
    今收 今收盘 收盤 收盤價 終値 종가 schluss schlusskurs schlußkurs cierre clôture cloture clot chiusura fechamento
    zamkniecie zamknięcie kapaniş закрытие"""
# Taken as the close where no column is called so; of several that differ, the user says which.
_NEARLY_CLOSES = """last lastprice lastpric lasttradedprice ltp pxlast latest settle settlement
    settlementprice settleprice
    trdprc1 sttlmpric price prc dlyprc 最新价 现价 最新價 kurs precio prix prezzo preço último ultimo dernier dern
    letzter şimdi simdi цена 현재가"""
_FIELDS = {
    "open": """openprc prcod open opening openprice openingprice priceopen opnpric pxopen dlyopen startprice 开盘 开盘价
    今开 今开盘 開盤 開盤價 始値 시가 eröffnung eröffnungskurs erster apertura ouverture abertura ouv
    otwarcie açiliş откр открытие""",
    "high": """askhi prchd high1 high highprice pricehigh hghpric pxhigh dlyhigh dayhigh maxprice highest 最高 最高价
    最高價 高値 고가 hoch tageshoch höchst máximo máxima maximo massimo haut plushaut
    najwyzszy najwyższy yüksek макс максимум""",
    "low": """bidlo prcld low1 low lowprice pricelow lwpric pxlow dlylow daylow minprice lowest 最低 最低价 最低價 安値
    저가 tief tagestief tiefst mínimo mínima minimo bas plusbas najnizszy najniższy düşük мин минимум""",
    "volume": """volume vol vols volumes totalvolume pxvolume tottrdqty ttltradgvol ttltrdqnty cshtrd
    acvoluns
    tradingvolume
    tradedvolume tradedquantity sharestraded dlyvol numberofshares noofshrs
    sharevolume 成交量 成交量股 成交股数 成交股數 出来高 거래량
    volumen volumenes stücke wolumen hacim hac объём объем""",
    "adj_close": """adjclose adjustedclose adjustclose adjustmentclose closeadj closeadjusted adjcloseprice
    adjustedcloseprice adjusted adj
    adjustedprice adjprice 复权收盘 复权收盘价 前复权 后复权 前复权收盘 后复权收盘 前复权收盘价 后复权收盘价
    前复权价 后复权价 收盘前复权 收盘后复权 收盘价前复权 收盘价后复权 還原收盤價 調整後終値 수정종가""",
    "factor": """factor adjfactor adjustfactor pricefactor cumfactor cumadjfactor
    cumulativefactor 复权因子
    后复权因子 前复权因子 累计复权因子""",
    "divisor": """cfacpr dlycumfacpr ajexdi""",
}
# Columns that belong to a share's day and are no price of it: known, so that they are never taken for shares.
_OTHERS = """closeunadj closeraw rawclose unadjustedclose unadjclose adjopen adjhigh adjlow adjvolume adjustedopen
    adjustedhigh adjustedlow adjustedvolume openinterest openint oi opnintrst chnginopnintrst
    previousdayopeninterest efpvolume efsvolume blockvolume amount value turnover vwap average averageprice
    avgprice avg mean trades transactions tradecount nooftrades numberoftrades totaltrades count change
    changepercent percentchange pctchange pctchg chg netchange net changepct amplitude turn turnoverrate
    adjustmentfactor
    preclose prevclose previousclose prevclosprice prvsclsgpric return returns ret logreturn dailyreturn
    marketcap mktcap capitalization sharesoutstanding shrout bid ask bidprice askprice mid spread exchange
    currency market country sector industry series sctysrs type per period adjustflag tradestatus isst
    lastupdated updated dividend dividends divcash dividendamount exdividend split splits splitratio splitfactor
    splitcoefficient stocksplits capitalgains cfacshr permco hexcd siccd
    tottrdval ttltrfval turnoverlacs
    delivqty notrades netturnov delivper totalturnover tickvol trfd rtype publisherid sgmt
    src fininstrmtp fininstrmnm bizdt
    undrlygpric ttlnboftxsexctd totaltrades avgprice index unnamed id row no weekday year month quarter week
    source note notes direction signal macd macdsignal macdhist obv upper lower middle up dn mavg volumeadj
    volumeusd 成交额 成交金额 成交金額 成交笔数 成交筆數 换手率 涨跌幅 涨跌额 涨跌 漲跌 漲跌價差 振幅 前收盘
    前收盘价 前收 昨收 昨收盘 量比 总市值 流通市值 市盈率 市净率 总股本 流通股本 是否st 交易状态 売買代金 前日比
    변동 изм"""
_COPY = re.compile(r"\.[0-9]+$")
_INDICATOR = re.compile(
    r"(sma|ema|wma|dema|tema|ma|rsi|atr|adx|cci|roc|mom|bb|bbu|bbl|bbm|std|macd|obv|kdj|boll|bollinger|stoch)[0-9][a-z0-9]*"
)
_UNITS = """usd us$ $ eur € gbp £ gbx p cny rmb ¥ jpy hkd inr rs ₹ krw 元 万元 亿元 円 원 % lot lots share shares
    手 股 万股 株 주"""
_UNIT = re.compile(rf"(?<=\S)\s*[(\[]({'|'.join(map(re.escape, _UNITS.split()))})[)\]]\s*$")
_LETTERS = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
_OTHER_LETTERS = {"vw", "n", "a", "i", "oi", "t", "ts", "otc"}

CLOSE_LIKE = ("close", "nearly_close", "adj_close")
PRICES = frozenset({"open", "high", "low", "close", "nearly_close", "volume", "adj_close", "factor", "divisor"})


@dataclass(frozen=True)
class Role:
    """What a column is.

    Attributes:
        name: time, share, open, high, low, close, nearly_close (last, settle, price), volume, adj_close, factor,
            divisor (adjusted = close / divisor), or other (known, and of no use here).
        rank: Of times and shares, which of several is meant: the lowest.
    """

    name: str
    rank: int = 0


def _table() -> dict[str, Role]:
    table = {key: Role("other") for key in _OTHERS.split()}
    for name, keys in _FIELDS.items():
        table.update({key: Role(name) for key in keys.split()})
    table.update({key: Role("nearly_close") for key in _NEARLY_CLOSES.split()})
    table.update({key: Role("close") for key in _CLOSES.split()})
    for rank, keys in enumerate(_SHARES):
        table.update({key: Role("share", rank) for key in keys.split()})
    for rank, keys in enumerate(_DATES):
        table.update({key: Role("time", rank) for key in keys.split()})
    return table


@lru_cache(maxsize=1)
def _roles() -> dict[str, Role]:
    return _table()


@lru_cache(maxsize=65536)
def key_of(name: str) -> str:
    """Returns a column's name without what differs between vendors.

    >>> key_of("Adj. Close**"), key_of("<TICKER>"), key_of("5. adjusted close"), key_of("$close"), key_of("Vol. (lots)")
    ('adjclose', 'ticker', 'adjustedclose', 'close', 'vol')
    """
    text = unicodedata.normalize("NFKC", name).strip().casefold().replace("\u0131", "i")
    text = re.sub(r"^[0-9]+[a-z]?\.\s+", "", text)
    text = _UNIT.sub("", text)
    return re.sub(r"[\s_\-.:/*$%#<>\"'()\[\]]+", "", text)


def role_of(name: str) -> Role | None:
    """Tells what a column is by its name; None where nothing is known.

    >>> role_of("收盘价"), role_of("Open Interest"), role_of("AAPL")
    (Role(name='close', rank=0), Role(name='other', rank=0), None)
    """
    key = key_of(name)
    role = _roles().get(key) or (Role("other") if _INDICATOR.fullmatch(key) else None)
    if role is None and (copy := _COPY.search(name)):  # what pandas makes of a name that comes twice
        role = _roles().get(key_of(name[: copy.start()]))
    return role


def letter_roles(names: list[str]) -> list[Role | None] | None:
    """Returns the roles of columns that are called o, h, l, c and so on; None if that is not what they are.

    A share may be called C or L, so all four must be there and nothing else but what comes with them.

    >>> letter_roles(["o", "h", "l", "c", "v"])[3], letter_roles(["C", "L", "T"])
    (Role(name='close', rank=0), None)
    """
    keys = [key_of(name) for name in names]
    if not {"o", "h", "l", "c"} <= set(keys) or set(keys) - set(_LETTERS) - _OTHER_LETTERS:
        return None
    return [Role(_LETTERS.get(key, "other")) for key in keys]


@dataclass(frozen=True)
class Part:
    """A column's name read as a field and a share.

    Attributes:
        role: What the field is.
        field: How it is called.
        share: The share.
        way: tuple first or tuple second (the field's row of a header's two), prefix (Close_AAA), suffix (AAA_Close),
            joined before (CloseAAA) or joined after (AAAClose).
    """

    role: Role
    field: str
    share: str
    way: str


_SEPARATOR = re.compile(r"[\s_|.:/,;~@#\-(\[\])]+")
_JOINED = (
    ("joined after", re.compile(r"(?P<share>.+?)(?P<field>adj ?close|open|high|low|close|volume)", re.IGNORECASE)),
    ("joined before", re.compile(r"(?P<field>adj ?close|open|high|low|close|volume)(?P<share>.+)", re.IGNORECASE)),
)


def tuple_of(name: str) -> tuple[str, ...] | None:
    """Returns the parts of a name that pandas made of several rows of a header, as in "('Close', 'AAA')".

    >>> tuple_of("('Close', 'AAA')"), tuple_of("Close")
    (('Close', 'AAA'), None)
    """
    text = name.strip()
    if not (text.startswith("(") and text.endswith(")") and "," in text):
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return tuple(str(part).strip() for part in value) if isinstance(value, tuple) else None


def parts_of(name: str) -> list[Part]:
    """Reads a column's name as a field and a share, in every way in which it can be read.

    >>> [(part.role.name, part.share, part.way) for part in parts_of("Adj Close_AAA")]
    [('adj_close', 'AAA', 'prefix')]
    >>> [(part.role.name, part.share, part.way) for part in parts_of("AAPL.High")]
    [('high', 'AAPL', 'suffix')]
    """
    text = name.strip()
    found: dict[str, Part] = {}
    pair = tuple_of(text)
    if pair is not None:
        if len(pair) == 2:
            for field, share, way in ((*pair, "tuple first"), (*reversed(pair), "tuple second")):
                role = _field_role(field)
                if role is not None and share:
                    found[way] = Part(role, field, share, way)
        return list(found.values())
    cuts = list(_SEPARATOR.finditer(text))
    # The longest field wins: "Adj Close" of AAA, not "Adj" of "Close AAA".
    for cut in cuts:
        field, share = text[: cut.start()], text[cut.end() :].rstrip(" )]")
        if (role := _field_role(field)) is not None and share:
            found["prefix"] = Part(role, field, share, "prefix")
    for cut in reversed(cuts):
        field, share = text[cut.end() :].rstrip(" )]"), text[: cut.start()].lstrip(" ([")
        if (role := _field_role(field)) is not None and share:
            found["suffix"] = Part(role, field, share, "suffix")
    if not found:
        for way, pattern in _JOINED:
            match = pattern.fullmatch(text)
            role = _field_role(match["field"]) if match else None
            if match and role is not None:
                found[way] = Part(role, match["field"], match["share"], way)
    return list(found.values())


def _field_role(text: str) -> Role | None:
    role = role_of(text)
    return role if role is not None and role.name not in ("time", "share") else None
