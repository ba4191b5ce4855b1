# ruff: noqa: RUF001, E501  # letters of several scripts look alike
"""Words that a full stop shortens rather than ends, and words that begin sentences, in the languages of Europe."""

from modulo.domain.text.word_set import word_set

BEFORE_NAMES = word_set(
    "mr mrs ms dr prof st sr jr rev hon gen col maj capt lt sgt cmdr adm gov sen rep pres mt ft cf vs viz approx ca "
    "resp incl excl eds "
    "hr hrn fr dipl ing mag bzw vgl inkl exkl zzgl zgl ggf ggfs gem sog bspw evtl einschl abzgl bez betr lfd "
    "mm mme mlle mgr env av bd "
    "sra srta dra dña ud uds aprox "
    "sig sigg dott avv egr spett "
    "dhr mevr mw bijv "
    "exmo exma "
    "ул пр просп им гл проф акад гг тов "
    "ul św inż mgr prof np tzn tzw "
    "tzv např sn"
)
"""Sentences do not end behind these."""
BEFORE_NUMBERS = word_set(
    "no nos nr nrn pp fig figs eq eqs sec ch chap vol tab ref refs art artt para ed jan feb mar apr jun jul aug sep "
    "sept oct nov dec p ff "
    "abs abschn anl anm abb art az bd buchst jg kap lit pos rn rdnr rz seite tz tel ziff zi mär okt dez hs "
    "bkz num núm pág págs cap ene abr dic tél al éd pag pagg blz kat kpt rozdz poz str "
    "стр рис табл ст п пп гл разд"
)
"""Nor behind these, before a number."""
ANYWHERE = word_set(
    "etc al inc ltd co corp bros dept univ assn ave blvd rd ph.d "
    "usw mio mrd tsd std min sek max jh jhd abt ag hrsg mwst kfm kfz tgl mtl jährl str allg ver "
    "ecc enz vb itp itd atd apod т.д т.п руб коп млн млрд тыс"
)
"""Behind these, and behind initials, a sentence ends only where the next word often begins one."""
STARTERS = word_set(
    "a an the this that these those it its he she they we you i his her their our there here in on at by for from with "
    "after before during since while when where what who why how if although though because however moreover "
    "therefore thus then also but and or so yet as no not all both each every some many most one two "
    "der die das den dem ein eine einen einer es er sie wir ich ihr man dies diese dieser dieses im am bei mit nach für "
    "wenn wer wie was wo warum danach dann dabei dazu daher deshalb dort hier auch aber und oder doch nur alle jede "
    "jeder nicht zum zur vom beim auf aus bis seit ab "
    "le la les l' un une des il elle ils elles on nous vous je ce cette ces en dans pour avec sur mais et ou donc "
    "el los las una uno en con por para pero y o si se su sus este esta estos "
    "gli uno nel nella con per ma e se questo questa "
    "de het een dit deze er hij zij wij ik maar en of als niet "
    "o os as um uma em na no com mas este esta "
    "он она они мы вы я это эта этот эти но и а если в на по для с"
)
MONTHS = word_set(
    "januar jänner februar feber märz april mai juni juli august september oktober november dezember "
    "jan feb mär apr jun jul aug sep sept okt nov dez "
    "january february march may june july october december "
    "يناير فبراير مارس أبريل ابريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر"
)
BEFORE_ORDINALS = word_set(
    "am im vom zum zur beim ab bis seit der die das den dem des ein eine einen einem einer jeder jede jedes jeden ihr "
    "ihre ihrem ihren sein seine seinem seinen unser unsere und oder sowie nach dessen deren diesem dieser dieses"
)
"""German words behind which a number with a full stop is an ordinal: am 3. Tag."""
ORDERED = word_set(
    "quartal halbjahr jahrhundert jahrtausend jahr lebensjahr tag monat woche etage stock stockwerk og ug obergeschoss "
    "mal platz rang auflage weltkrieg klasse stufe schritt teil kapitel abschnitt absatz satz punkt runde sitzung senat "
    "geburtstag madde"
)
"""What is numbered with ordinals, in German and Turkish."""
