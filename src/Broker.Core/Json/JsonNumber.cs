using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Broker.Core.Json;

/// <summary>
/// A JSON number by value: sign, significant digits without zeros at either end, power of ten. Nothing is ever expanded, so
/// <c>1e999999999</c> costs what <c>1</c> costs; zero has no digits, no sign and no power.
/// </summary>
internal readonly record struct JsonNumber(bool Negative, string Digits, BigInteger Exponent) : IComparable<JsonNumber>
{
    private const int MostZeros = 20;

    public bool IsZero => Digits.Length == 0;

    public bool IsInteger => Exponent.Sign >= 0;

    public static JsonNumber Of(JsonElement number) => Parse(JsonMarshal.GetRawUtf8Value(number));

    /// <summary>Takes text that a JSON reader has already accepted as a number.</summary>
    public static JsonNumber Parse(ReadOnlySpan<byte> raw)
    {
        var negative = raw[0] == (byte)'-';
        if (negative) raw = raw[1..];

        var exponent = BigInteger.Zero;
        var mark = raw.IndexOfAny((byte)'e', (byte)'E');
        if (mark >= 0)
        {
            exponent = BigInteger.Parse(Encoding.ASCII.GetString(raw[(mark + 1)..]), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            raw = raw[..mark];
        }

        var point = raw.IndexOf((byte)'.');
        var whole = point < 0 ? raw : raw[..point];
        var fraction = point < 0 ? [] : raw[(point + 1)..];

        var all = raw.Length <= 64 ? stackalloc char[raw.Length] : new char[raw.Length];
        var count = 0;
        foreach (var digit in whole) all[count++] = (char)digit;
        foreach (var digit in fraction) all[count++] = (char)digit;

        var significant = all[..count].TrimEnd('0');
        var dropped = count - significant.Length;
        significant = significant.TrimStart('0');
        return significant.IsEmpty
            ? new JsonNumber(false, "", BigInteger.Zero)
            : new JsonNumber(negative, significant.ToString(), exponent - fraction.Length + dropped);
    }

    public int CompareTo(JsonNumber other)
    {
        if (Sign != other.Sign) return Sign.CompareTo(other.Sign);
        var magnitude = (Exponent + Digits.Length).CompareTo(other.Exponent + other.Digits.Length);
        // Equal magnitude: the digit strings start at the same power of ten, so text order is number order.
        if (magnitude == 0) magnitude = string.CompareOrdinal(Digits, other.Digits);
        return Negative ? -magnitude : magnitude;
    }

    public bool IsMultipleOf(JsonNumber divisor)
    {
        if (IsZero) return true;
        var shift = Exponent - divisor.Exponent;
        // Our digits do not end in zero, so no power of ten can be divided out of them.
        if (shift.Sign < 0) return false;
        var by = BigInteger.Parse(divisor.Digits, NumberStyles.None, CultureInfo.InvariantCulture);
        // Powers of ten help only against the twos and fives of the divisor, and it has fewer than its bits.
        var useful = BigInteger.Min(shift, by.GetBitLength());
        return (Remainder(by) * BigInteger.ModPow(10, useful, by) % by).IsZero;
    }

    /// <summary>One spelling per value: <c>15e-1</c>, <c>1e2</c>, <c>-7</c>, <c>0</c>.</summary>
    public override string ToString() =>
        IsZero ? "0" : (Negative ? "-" : "") + Digits + (Exponent.IsZero ? "" : "e" + Exponent.ToString(CultureInfo.InvariantCulture));

    /// <summary>Without an exponent where that is short: <c>100</c>, <c>0.05</c>.</summary>
    public string Readable()
    {
        if (Exponent.IsZero || BigInteger.Abs(Exponent) > MostZeros) return ToString();
        var power = (int)Exponent;
        var digits = power > 0 ? Digits + new string('0', power) : Digits.PadLeft(1 - power, '0');
        return (Negative ? "-" : "") + (power > 0 ? digits : digits.Insert(digits.Length + power, "."));
    }

    // Piece by piece: a number of millions of digits would take seconds to become one integer.
    private BigInteger Remainder(BigInteger by)
    {
        const int piece = 18;
        var remainder = BigInteger.Zero;
        for (var at = 0; at < Digits.Length; at += piece)
        {
            var digits = Digits.AsSpan(at, Math.Min(piece, Digits.Length - at));
            var shifted = remainder * BigInteger.Pow(10, digits.Length);
            remainder = (shifted + long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture)) % by;
        }

        return remainder;
    }

    private int Sign => IsZero ? 0 : Negative ? -1 : 1;
}
