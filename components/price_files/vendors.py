"""What vendors' files of daily prices look like, and what their prices mean.

The table of docs/importing.md and the tests of each format are made from `VENDORS`. What a column is, its name tells
(`column_names.py`); here stands what a header cannot say: whether a close is adjusted, in what a volume is counted,
which rows are shares. Facts are from the vendors' public documentation, named in `source`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from components.price_files.column_names import key_of


@dataclass(frozen=True)
class Vendor:
    """A vendor's format.

    Attributes:
        name: Whose it is.
        header: The names of its columns, separated by commas; several lines where it has several.
        meaning: What its prices are, for the report.
        source: Where that is written.
        signature: Names that only this format has together, as `key_of` returns them; empty where its header is
            anybody's, so that nothing is concluded from it.
        lacks: Names that another format with the same signature has.
        dates: How dates are written, for the tests.
        newest_first: Whether the last day stands first.
        lot: How many shares the volume counts as one.
        signed: Whether a close below 0 stands for the mean of bid and ask.
        lasting_factor: Whether its factor counts from the listing on, so that those of any two files are on one scale.
        only: A column, as `key_of` returns it, and the cells of it whose rows are shares.
    """

    name: str
    header: str
    meaning: str
    source: str
    signature: str = ""
    lacks: str = ""
    dates: str = "%Y-%m-%d"
    newest_first: bool = False
    lot: int = 1
    signed: bool = False
    lasting_factor: bool = False
    only: tuple[str, tuple[str, ...]] | None = None


# Equities of the main board and of small companies; other series of a symbol are bonds, warrants and blocks.
_NSE_EQUITIES = ("EQ", "BE", "BZ", "SM", "ST", "SZ")
_SPLITS_AND_DIVIDENDS = "close is adjusted for splits and dividends already"
_AS_TRADED = "close as traded, no adjustments in the file"

VENDORS = (
    Vendor(
        "Yahoo Finance, backtrader's samples",
        "Date,Open,High,Low,Close,Adj Close,Volume",
        "close is adjusted for splits, adj close for splits and dividends",
        "Yahoo's help, What is the adjusted close",
    ),
    Vendor(
        "yfinance, Ticker.history",
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits",
        f"{_SPLITS_AND_DIVIDENDS} (auto_adjust, the default)",
        "yfinance, Ticker.history",
        signature="dividends stocksplits close",
        lacks="adjclose",
    ),
    Vendor(
        "yfinance, download",
        "Price,Close,High,Low,Open,Volume\nTicker,AAA,AAA,AAA,AAA,AAA\nDate,,,,,",
        f"{_SPLITS_AND_DIVIDENDS} (auto_adjust, the default since 0.2.51)",
        "yfinance, download; yfinance #2193, #2269, #2355",
    ),
    Vendor(
        "stooq, bulk",
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
        f"{_SPLITS_AND_DIVIDENDS}, unless that was turned off in the download",
        "stooq.com, free market data; backtrader #94",
        signature="ticker per date time close openint",
        dates="%Y%m%d",
    ),
    Vendor(
        "Tiingo",
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor",
        "close as traded, adjClose adjusted for splits and dividends",
        "Tiingo, End-of-Day endpoint",
        signature="adjclose divcash splitfactor",
        dates="%Y-%m-%dT00:00:00.000Z",
    ),
    Vendor(
        "tushare, daily",
        "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount",
        f"{_AS_TRADED}: add the column adj_factor of tushare's adj_factor",
        "tushare, daily and adj_factor",
        signature="tscode tradedate vol",
        lacks="adjfactor",
        dates="%Y%m%d",
        newest_first=True,
        lot=100,
    ),
    Vendor(
        "tushare, daily with adj_factor",
        "ts_code,trade_date,open,high,low,close,pre_close,vol,amount,adj_factor",
        "close as traded, close x adj_factor adjusted for splits and dividends",
        "tushare, daily and adj_factor",
        signature="tscode tradedate vol adjfactor",
        dates="%Y%m%d",
        newest_first=True,
        lot=100,
        lasting_factor=True,
    ),
    Vendor(
        "baostock",
        "date,code,open,high,low,close,preclose,volume,amount,adjustflag,turn,tradestatus,pctChg,isST",
        "close as adjustflag says: 3 as traded, 2 and 1 adjusted (back from the last day, on from the first); "
        "days without trade (tradestatus 0) are left out",
        "baostock, query_history_k_data_plus",
        signature="date code adjustflag close",
        only=("tradestatus", ("1",)),
    ),
    Vendor(
        "akshare, stock_zh_a_hist",
        "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
        "close as traded, or as the argument adjust asked for; the file does not say which",
        "akshare, stock_zh_a_hist",
        signature="日期 收盘 成交量 成交额 振幅 换手率",
        lot=100,
    ),
    Vendor(
        "Chinese terminals",
        "交易日期,证券代码,证券简称,开盘价(元),最高价(元),最低价(元),收盘价(元),成交量(股)",
        "as the terminal was set; the file does not say",
        "names of columns as exported",
    ),
    Vendor(
        "Alpha Vantage, daily",
        "timestamp,open,high,low,close,volume",
        _AS_TRADED,
        "Alpha Vantage, TIME_SERIES_DAILY",
        newest_first=True,
    ),
    Vendor(
        "Alpha Vantage, daily adjusted",
        "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
        "close as traded, adjusted_close adjusted for splits and dividends",
        "Alpha Vantage, TIME_SERIES_DAILY_ADJUSTED",
        signature="adjustedclose dividendamount splitcoefficient",
        newest_first=True,
    ),
    Vendor(
        "Alpha Vantage, keys of its JSON",
        "date,1. open,2. high,3. low,4. close,5. volume",
        _AS_TRADED,
        "Alpha Vantage, TIME_SERIES_DAILY",
    ),
    Vendor(
        "Kaggle, S&P 500 (all_stocks_5yr)",
        "date,open,high,low,close,volume,Name",
        "the file does not say whether closes are adjusted",
        "Kaggle, camnugent/sandp500",
    ),
    Vendor(
        "Kaggle, Huge Stock Market Dataset",
        "Date,Open,High,Low,Close,Volume,OpenInt",
        f"{_SPLITS_AND_DIVIDENDS}; a file a share (aapl.us.txt)",
        "Kaggle, borismarjanovic",
        signature="date open close volume openint",
        lacks="per ticker",
    ),
    Vendor(
        "Qlib, exported",
        "instrument,datetime,$open,$high,$low,$close,$volume,$factor",
        "close is adjusted already and factor = adjusted / as traded, which the prices themselves must show",
        "Qlib, Data Layer, and its collectors",
    ),
    Vendor(
        "Sharadar, SEP",
        "ticker,date,open,high,low,close,volume,closeadj,closeunadj,lastupdated",
        "close adjusted for splits, closeadj for splits and dividends, closeunadj as traded",
        "Nasdaq Data Link, SHARADAR/SEP",
        signature="ticker date close closeadj closeunadj",
    ),
    Vendor(
        "NSE bhavcopy to July 2024",
        "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN",
        f"{_AS_TRADED}; of the series, equities are taken",
        "NSE, reports of the capital market",
        signature="symbol series close prevclose tottrdqty",
        dates="%d-%b-%Y",
        only=("series", _NSE_EQUITIES),
    ),
    Vendor(
        "NSE bhavcopy since July 2024 (UDiFF)",
        "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,"
        "LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd",
        f"{_AS_TRADED}; of the series, equities are taken",
        "NSE, UDiFF file formats",
        signature="traddt tckrsymb sctysrs clspric",
        only=("sctysrs", _NSE_EQUITIES),
    ),
    Vendor(
        "NSE, full bhavcopy with deliveries",
        "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, CLOSE_PRICE, AVG_PRICE, "
        "TTL_TRD_QNTY, TURNOVER_LACS, NO_OF_TRADES, DELIV_QTY, DELIV_PER",
        f"{_AS_TRADED}; of the series, equities are taken",
        "NSE, sec_bhavdata_full",
        signature="symbol series date1 closeprice ttltrdqnty",
        dates="%d-%b-%Y",
        only=("series", _NSE_EQUITIES),
    ),
    Vendor(
        "NSE by symbol (nsepy, jugaad-data)",
        "Date,Symbol,Series,Prev Close,Open,High,Low,Last,Close,VWAP,Volume,Turnover,Trades,Deliverable Volume,"
        "%Deliverble",
        f"{_AS_TRADED}; of the series, equities are taken",
        "nsepy, get_history",
        signature="date symbol series prevclose close",
        only=("series", _NSE_EQUITIES),
    ),
    Vendor(
        "investing.com",
        "Date,Price,Open,High,Low,Vol.,Change %",
        "Price is the close; the file does not say whether it is adjusted",
        "derlin/investing-historical-data #2",
        newest_first=True,
    ),
    Vendor(
        "Nasdaq.com",
        "Date,Close/Last,Volume,Open,High,Low",
        "the file does not say whether closes are adjusted",
        "Nasdaq.com, historical quotes",
        newest_first=True,
    ),
    Vendor(
        "Quandl CHRIS, Barchart",
        "Date,Open,High,Low,Last,Change,Settle,Volume,Previous Day Open Interest",
        "futures as traded; where Last and Settle differ, --column close=Settle or close=Last chooses",
        "tidyquant #32",
    ),
    Vendor(
        "marketstack",
        "open,high,low,close,volume,adj_high,adj_low,adj_close,adj_open,adj_volume,split_factor,dividend,symbol,exchange,date",
        "close as traded, adj_close adjusted; splits were missing from it (marketstack #10)",
        "marketstack, End-of-Day; apilayer/marketstack #10",
        signature="adjclose splitfactor symbol date",
        lacks="divcash",
        newest_first=True,
    ),
    Vendor(
        "EODHD",
        "Date,Open,High,Low,Close,Adjusted_close,Volume",
        "close as traded, adjusted_close adjusted for splits and dividends",
        "EODHD, end-of-day API",
    ),
    Vendor(
        "Databento, ohlcv-1d",
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol",
        _AS_TRADED,
        "Databento, schema ohlcv-1d",
        signature="tsevent publisherid instrumentid close",
        dates="%Y-%m-%dT00:00:00.000000000Z",
    ),
    Vendor(
        "CRSP, daily stock file",
        "PERMNO,date,TICKER,BIDLO,ASKHI,PRC,VOL,RET,SHROUT,CFACPR,CFACSHR",
        "PRC as traded (below 0: the mean of bid and ask), PRC / CFACPR adjusted for splits, not for dividends",
        "CRSP, data definitions",
        signature="permno date prc",
        signed=True,
    ),
    Vendor(
        "Quandl WIKI",
        "ticker,date,open,high,low,close,volume,ex-dividend,split_ratio,adj_open,adj_high,adj_low,adj_close,adj_volume",
        "close as traded, adj_close adjusted for splits and dividends",
        "Quandl, WIKI/PRICES",
        signature="ticker date adjclose exdividend splitratio",
    ),
    Vendor(
        "Alpaca, bars",
        "symbol,timestamp,open,high,low,close,volume,trade_count,vwap",
        "as the argument adjustment asked for; the file does not say",
        "Alpaca, historical bars",
        signature="symbol timestamp close tradecount vwap",
    ),
    Vendor(
        "Euronext",
        "Date,Open,High,Low,Last,Close,Number of Shares,Number of Trades,Turnover,vwap",
        "as the download was asked for; the lines before the header have to be deleted",
        "live.euronext.com, historical data",
    ),
    Vendor(
        "Bloomberg",
        "Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME",
        "as the terminal was set; the file does not say",
        "names of fields",
    ),
)


def vendor_of(names: Sequence[str]) -> Vendor | None:
    """Returns the vendor whose file has these columns; None where they could be anybody's.

    >>> vendor_of(["ts_code", "trade_date", "close", "vol"]).name
    'tushare, daily'
    """
    keys = {key_of(name) for name in names}
    found = [
        (len(signature), number)
        for number, (signature, lacks) in enumerate(_signatures())
        if signature and signature <= keys and not lacks & keys
    ]
    return VENDORS[max(found)[1]] if found else None


@lru_cache(maxsize=1)
def _signatures() -> list[tuple[frozenset[str], frozenset[str]]]:
    return [(frozenset(vendor.signature.split()), frozenset(vendor.lacks.split())) for vendor in VENDORS]
