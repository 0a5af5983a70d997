import { useEffect, useState } from 'react';
import { useFormats, type Zone } from '../text/formats';

/** The time of day, a new one each so many seconds: what is said of time left must not stand still. */
export const useNow = (seconds = 30): number => {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), seconds * 1_000);
    return () => clearInterval(timer);
  }, [seconds]);
  return now;
};

export const Time = ({
  at,
  zone = 'local',
  seconds = false,
}: {
  readonly at: string;
  readonly zone?: Zone;
  readonly seconds?: boolean;
}) => {
  const { time } = useFormats();
  return <time dateTime={at}>{time(at, zone, seconds)}</time>;
};

/** How long ago, or in what time; the exact time is its title. */
export const Ago = ({ at }: { readonly at: string }) => {
  const { relative, time } = useFormats();
  const now = useNow();
  return (
    <time dateTime={at} title={time(at)}>
      {relative(at, now)}
    </time>
  );
};
