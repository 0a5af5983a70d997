import { squeezed } from './folded-text';

/* The words around card data, in the languages of the desks that we know. Each is compared as `squeezed` makes it. */

/** As German is written on keyboards without its letters: "gueltig", "Pruefziffer". */
const transcribed = (text: string): string =>
  text.replace(/[äöüß]/gi, (letter) => ({ ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss' })[letter.toLowerCase()] ?? letter);

const labels = (...texts: readonly string[]): ReadonlySet<string> =>
  new Set(texts.flatMap((text) => text.split(',')).flatMap((text) => [squeezed(text), squeezed(transcribed(text))]));

export const codeLabels = labels(
  'cvc,cvv,ccv,cvvc,csc,cvn,cav,cid,cvd,cve,icvv,cvccode,cvvcode,cvcnumber,cvvnumber,cvcnr,cvvnr,cardcvc,cardcvv',
  'security code,sec code,security number,verification code on the card,verification code of the card,verification code on my card,security digits,card code,card verification,verification value,verification number,card verification code,card verification value,signature panel code',
  'digits on the back,number on the back,numbers on the back,code on the back,code from the back,number on the reverse,code on the reverse',
  'digits on the reverse,numbers on the reverse,digits on back,number on back,numbers on back,code on back,digits at the back,number at the back,numbers at the back,code at the back',
  'Prüfziffer,Prüfnummer,Prüfcode,Prüfzahl,Kartenprüfnummer,Kartenprüfziffer,Kartencode,Kartenprüfcode,KPN,Sicherheitscode,Sicherheitsnummer,Sicherheitsziffer,Sicherheitszahl,Kartensicherheitscode',
  'Kartenkontrollnummer,Kontrollnummer der Karte,Kontrollziffer der Karte,Ziffern hinten,Ziffern auf der Rückseite,Zahlen hinten,Zahlen auf der Rückseite,Nummer hinten,Nummer auf der Rückseite,Code hinten,Code auf der Rückseite',
  'cryptogramme,cryptogramme visuel,code de sécurité,code de vérification,code de contrôle,code sécurité,numéro de sécurité',
  'chiffres au dos,chiffres au verso,chiffres derrière,chiffres à l’arrière,numéro au dos,numéro au verso,code au dos,code au verso,code à trois chiffres,chiffres au dos de la carte',
  'código de seguridad,código de verificación,código seguridad,clave de seguridad,número de seguridad',
  'dígitos de atrás,dígitos de detrás,dígitos del reverso,dígitos al reverso,dígitos del dorso,dígitos al dorso,números de atrás,números del reverso,número de atrás,número del reverso,código de atrás,código del reverso,código de tres dígitos',
  'codice di sicurezza,codice sicurezza,codice di verifica,codice di controllo,cifre sul retro,numeri sul retro,numero sul retro,codice sul retro,codice a tre cifre',
  'código de segurança,código de verificação,código segurança,dígitos do verso,dígitos no verso,números no verso,código no verso',
  'kod CVC,kod CVV,kod bezpieczeństwa,kod zabezpieczający,bezpečnostní kód,bezpečnostný kód',
  'beveiligingscode,veiligheidscode,säkerhetskod,sikkerhetskode,sikkerhedskode,kontrolcifre,turvakoodi,turvaluku,biztonsági kód,cijfers achterop,cijfers op de achterkant,code achterop,cyfry na odwrocie,kod na odwrocie',
  'güvenlik kodu,код безопасности,код проверки,проверочный код,защитный код,код карты,код на обороте,цифры на обороте,секретный код,安全码,安全碼,セキュリティコード,セキュリティ番号,보안코드,رمز الأمان,κωδικός ασφαλείας',
);

export const expiryLabels = labels(
  'exp,expy,expiry,expires,expire,expired,expiring,expiration,exp date,expdate,expiry date,expiration date,date of expiry',
  'valid,validity,valid thru,valid through,valid to,valid until,valid till,good thru,good through,good until,mm yy,mm yyyy,mmyy,mm jj,mm aa,exp month,exp year,expiry month,expiry year,expiration month,expiration year',
  'gültig bis,gültig,Ablauf,Ablaufdatum,abgelaufen,läuft ab,läuft,Ablaufmonat,Ablaufjahr,Verfall,Verfallsdatum,Verfalldatum,Gültigkeit,Gültigkeitsdatum,gültig bis Ende',
  'expire fin,expire le,date d’expiration,date expiration,fin de validité,validité,date de validité,valable jusqu’en,valable jusqu’au,valable jusqu’à,valide jusqu’en,valide jusqu’au,valide jusqu’à,valide jusque',
  'scad,venc,verf,verfällt,gült,valida,valido,valable,valide,caducidad,caduca,fecha de caducidad,vencimiento,vence,válida hasta,válido hasta,fecha de vencimiento,vto,fecha vto',
  'scadenza,scade,data di scadenza,valida fino,valido fino,valida fino al,valida fino a',
  'validade,vencimento,válido até,válida até,data de validade,expira,expira em',
  'ważna do,ważność,data ważności,termin ważności,platnost,platnost do,platná do',
  'vervaldatum,vervalt,geldig tot,giltig till,utgångsdatum,gyldig til,utløpsdato,udløbsdato,voimassa,viimeinen voimassaolo',
  'son kullanma,son kullanma tarihi,geçerlilik,срок действия,действует до,действительна до,истекает,有效期,有效期至,有効期限,유효기간,λήξη,تاريخ الانتهاء',
);

/** Those that a month and a year may also stand before: "12/29 expiry". Before a verb they tell when something happened. */
export const expiryNounLabels = labels(
  'exp,expiry,expiration,exp date,expdate,expiry date,expiration date,mm yy,mmyy,Ablaufdatum,Verfallsdatum,Verfalldatum,Gültigkeitsdatum',
  'date d’expiration,fin de validité,caducidad,fecha de caducidad,vencimiento,scadenza,data di scadenza,validade,vervaldatum,data ważności,срок действия,有效期,有効期限',
);

export const numberLabels = labels(
  'card number,card no,card nr,card num,cardnumber,credit card,debit card,credit card number,debit card number,cc number,cc no,ccnum,pan,account number of the card',
  'Kartennummer,Kreditkartennummer,Kartennr,Kreditkarte,Karten Nr',
  'numéro de carte,numéro carte,n° de carte,carte bancaire,carte de crédit,número de tarjeta,tarjeta de crédito,numero di carta,numero carta,carta di credito,número do cartão,cartão de crédito',
  'numer karty,kaartnummer,kortnummer,číslo karty,kart numarası,номер карты,卡号,カード番号',
);

/** A number after one of these is that, whatever stands near it. */
export const ownNames = labels(
  'order,orders,ticket,tickets,case,invoice,receipt,reference,ref,booking,request,issue,error,house,street,road,avenue,room,flat,apartment,suite,floor,page,phone,extension,ext,ending,last four,zip,plz,gift,loyalty,membership,sim',
  'Bestellung,Bestellnummer,Auftrag,Auftragsnummer,Rechnung,Rechnungsnummer,Vorgang,Hausnummer,Straße,Zimmer,Fehler,Seite,Durchwahl,Postleitzahl',
  'commande,facture,dossier,rue,chambre,erreur,téléphone,poste,pedido,factura,caso,calle,avenida,plaza,paseo,habitación,ordine,fattura,pratica,via,camera,telefono,zamówienie,faktura,bestelling,rekening',
);

/** Says nothing between a label and its number. */
export const connectors = labels(
  'is,was,are,no,nr,num,number,code,digits,date,value,the,a,an,of,on,in,at,to,by,and,my,your,his,her,our,their,this,that,s,it,its,card,back,front,reads,equals,as,with,end,month,year,here',
  'ist,war,sind,lautet,der,die,das,des,dem,den,auf,am,von,zu,im,und,meine,meiner,mein,ihre,ihrer,Karte,Rückseite,Nummer,Ziffer,Datum,Ende',
  'est,sont,le,la,les,l,de,du,del,d,au,dos,et,ma,mon,sa,carte,numéro,fin,es,son,el,los,y,mi,su,tarjeta,número,fecha,en,è,e,il,lo,della,di,mia,carta,numero,al,data,fine',
  'é,o,do,da,em,minha,cartão,jest,to,na,mojej,karty,numer,i,het,een,van,mijn,kaart,är,på,mitt,kort,er,din,код,карты,это,до',
);

export const months = labels(
  'jan,january,januar,janvier,enero,ene,gennaio,gen,janeiro,januari,feb,february,februar,février,fév,febrero,febbraio,fevereiro,fev,februari',
  'mar,march,märz,mrz,mars,marzo,março,maart,apr,april,avril,avr,abril,abr,aprile,may,mai,mayo,maggio,mag,maio,mei,maj',
  'jun,june,juni,juin,junio,giugno,giu,junho,jul,july,juli,juillet,juil,julio,luglio,lug,julho',
  'aug,august,août,agosto,ago,augustus,augusti,sep,sept,september,septembre,septiembre,settembre,set,setembro',
  'oct,october,okt,oktober,octobre,octubre,ottobre,ott,outubro,out,nov,november,novembre,noviembre,novembro',
  'dec,december,dez,dezember,décembre,déc,diciembre,dic,dicembre,dezembro',
);

/** What separates month and year where it is said rather than written. */
export const spokenSeparators = labels(
  'slash,stroke,dash,hyphen,dot,point,Schrägstrich,Strich,Bindestrich,Punkt,barre,tiret,trait,barra,guion,trattino',
);

/** What joins a date to a code without naming either. */
export const conjunctions = labels('and,plus,with,code,und,mit,et,avec,y,con,e,i,oraz,en,och,og');

/** What stands before the day on which something happened. */
export const beforeDates = labels('on,since,from,am,vom,seit,le,du,depuis,el,desde,il,dal,dnia,op,den');

/** What is counted or paid rather than written on a card. */
export const units = labels(
  'eur,euro,euros,usd,dollar,dollars,gbp,pounds,chf,pln,seconds,minutes,mins,min,hours,hour,days,day,weeks,week,times,percent,people,customers',
  'Sekunden,Minuten,Stunden,Tage,Tagen,Wochen,Uhr,Mal,minutos,horas,días,veces,jours,heures,fois,giorni,ore,minuti,volte',
);

/** Joins a month's name and its year: "December of 2029". */
export const monthJoiners = labels('of,de,do,del,des,di,van');

/** Names of an expiry's parts where each has its own: "exp_month=12&exp_year=2029". */
export const monthNames = labels(
  'month,mm,exp month,expiry month,expiration month,Monat,Ablaufmonat,mois,mes,mese,mês,miesiąc,maand',
);
export const yearNames = labels(
  'year,yy,yyyy,exp year,expiry year,expiration year,Jahr,Ablaufjahr,année,an,año,anno,ano,rok,jaar',
);

/** Tells that what stands near it is about a payment card. */
export const cardWords = labels(
  'card,cards,credit card,debit card,visa,mastercard,maestro,amex,american express,diners,discover,jcb,unionpay,mir',
  'Karte,Karten,Kreditkarte,Debitkarte,Bankkarte,carte,cartes,carte bancaire,tarjeta,tarjetas,carta,carte di credito,cartão,cartões',
  'karta,karty,kartę,kartą,karcie,kaart,bankpas,creditcard,kort,kortet,kortti,kortin,kart,kartı,kartım,карта,карты,карте,карту,картой,卡,信用卡,カード,카드,بطاقة,κάρτα',
);

/** Of the words for a card those that mean nothing else: a number right behind one is its. */
export const plainCardWords = labels(
  'card,creditcard,debitcard,bankcard,cc,Karte,Kreditkarte,Debitkarte,Bankkarte,carte,tarjeta,cartão,karta,karty,kartę,kaart,bankpas,kort,kortet,kortti,kart,kartı,карта,карты,карте,карту,картой,信用卡,カード,카드',
);

/** Right before a number of which it isn't certain what it is, says that it is a card's; in a link too. */
export const namesCard: ReadonlySet<string> = new Set([
  ...plainCardWords,
  ...labels('cards,Karten,cartes,tarjetas,carta,visa,mastercard,maestro,amex,american express,express,unionpay,cc,pan,mc'),
]);

/** Words before "card" that make it another one. */
export const otherCards = labels(
  'gift,loyalty,membership,member,sim,library,id,identity,insurance,health,student,bonus,customer,memory,sd,graphics,report,business,green,punch,post,service,key,access,staff,fidélité,cadeau,regalo,socio,geschenk,cliente,sanitaria',
);

/** Between "card" and its number. */
export const saysNumber = labels('is,no,nr,num,number,ist,lautet,est,es,é,nummer,numero,número,nro,n,the');

/** Between a card's number and its expiry. */
export const untilWords = labels('until,till,thru,through,bis,fino,hasta,jusque,jusqu,tot,till,até,к,по,end');

/** Short for a code where a card's number stands before it; anywhere else they are seconds, signatures and more. */
export const shortCodeNames = labels('sec,secc,sig,sc,vc,pz,pn,verif,check,prüf,sécurité,seguridad,sicurezza,back');

/** Stands between the cells of a table that was written as HTML. */
export const markup = labels('td,tr,th,br,tbody,thead,table,p,div,span,nbsp,strong,em,b,li,ul,dt,dd,font');
