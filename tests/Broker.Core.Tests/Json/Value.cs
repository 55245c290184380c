using System.Globalization;
using System.Text;

namespace Broker.Core.Tests.Json;

/// <summary>A JSON value that can be written in many ways; equality is decided here without any text.</summary>
public abstract record Value
{
    /// <summary>JSON text: plain without a source of chance, with one as odd as JSON allows.</summary>
    public abstract string Spell(Random? chance);

    public abstract bool Equal(Value other);

    private static string Quote(string text, Random? chance)
    {
        var json = new StringBuilder("\"");
        foreach (var unit in text)
        {
            // Half a pair cannot stand in UTF-8 as it is.
            var mustEscape = unit < ' ' || unit is '"' or '\\' || char.IsSurrogate(unit);
            if (mustEscape || chance?.Next(2) == 0) json.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
            else json.Append(unit);
        }

        return json.Append('"').ToString();
    }

    public sealed record Literal(string Word) : Value
    {
        public override string Spell(Random? chance) => Word;

        public override bool Equal(Value other) => other is Literal literal && literal.Word == Word;
    }

    public sealed record Number(int Digits, int Power) : Value
    {
        public override string Spell(Random? chance)
        {
            // JSON has no 000.
            var zeros = Digits == 0 ? 0 : chance?.Next(4) ?? 0;
            var exponent = Power - zeros;
            var text = Digits.ToString(CultureInfo.InvariantCulture) + new string('0', zeros);
            if (chance?.Next(2) == 0) text += ".00";
            return $"{text}{(chance?.Next(2) == 0 ? 'E' : 'e')}{(exponent >= 0 && chance?.Next(2) == 0 ? "+" : "")}{exponent}";
        }

        public override bool Equal(Value other) => other is Number number && number.Amount == Amount;

        private decimal Amount => Digits * (decimal)Math.Pow(10, Power + 2);
    }

    public sealed record Text(string Characters) : Value
    {
        public override string Spell(Random? chance) => Quote(Characters, chance);

        public override bool Equal(Value other) => other is Text text && text.Characters == Characters;
    }

    public sealed record List(IReadOnlyList<Value> Items) : Value
    {
        public override string Spell(Random? chance) => "[" + string.Join(chance is null ? "," : " ,\n", Items.Select(item => item.Spell(chance))) + "]";

        public override bool Equal(Value other) =>
            other is List list && list.Items.Count == Items.Count && Items.Zip(list.Items).All(pair => pair.First.Equal(pair.Second));
    }

    public sealed record Map(IReadOnlyDictionary<string, Value> Members) : Value
    {
        public override string Spell(Random? chance)
        {
            var members = Members.ToArray();
            chance?.Shuffle(members);
            return "{" + string.Join(',', members.Select(member => $"{Quote(member.Key, chance)}:{member.Value.Spell(chance)}")) + "}";
        }

        public override bool Equal(Value other) =>
            other is Map map && map.Members.Count == Members.Count
            && Members.All(member => map.Members.TryGetValue(member.Key, out var value) && value.Equal(member.Value));
    }
}
